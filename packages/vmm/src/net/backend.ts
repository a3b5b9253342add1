import type { EventLoop } from '../io/event-loop.ts'
import type { IovecList } from '../virtio/chain.ts'

/** Every packet, both ways, begins with struct virtio_net_hdr of VIRTIO 1.2, section 5.1.6, num_buffers included. */
export const NET_HEADER_BYTES = 12
/** The largest packet with its header: 64 KiB of IP behind Ethernet, as segmentation offload makes them. */
export const MAX_PACKET_BYTES = NET_HEADER_BYTES + 14 + 65536

/** What a backend tells its device. */
export interface NetListener {
  readable(): void
  writable(): void
  /** The other end is gone for good; `reason` is for the log. */
  linkDown(reason: string): void
}

/**
 * The other end of a network device's cable. Packets go straight between it and the memory that the iovecs
 * name; each begins with the 12-byte header. Nothing here blocks and nothing is queued: what cannot be taken
 * now stays with whom it comes from.
 */
export interface NetBackend {
  /** Offload features of virtio-net (section 5.1.3) that it can carry. */
  readonly features: bigint
  /** Called when the driver is ready, again after a device reset; nothing is watched yet. */
  start(loop: EventLoop, listener: NetListener): void
  /** Of a cable with several backends: whether this one carries packets. Those it has not taken yet are lost. */
  attach?(on: boolean): void
  /** The features the driver took: what the other end may hand us unfinished. */
  setOffloads(features: bigint): void
  /**
   * Moves the next packet into the iovecs, which have room for MAX_PACKET_BYTES; bytes 10 and 11 (num_buffers)
   * are the caller's to fill. Returns its length, 0 when there is none now, or a negative errno.
   */
  receive(iov: IovecList, count: number): number
  /** Takes one packet. Returns its length, 0 when it cannot be taken now, or a negative errno: it is lost. */
  send(iov: IovecList, count: number): number
  /** Whether the listener's `readable` (or `writable`) is called. Idempotent. */
  watchReadable(on: boolean): void
  watchWritable(on: boolean): void
  /** Forgets loop and listener; what is unfinished on the wire is finished. */
  stop(): void
  close(): void
}
