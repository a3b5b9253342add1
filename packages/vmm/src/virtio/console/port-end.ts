import type { EventLoop } from '../../io/event-loop.ts'
import type { DescriptorChain } from '../chain.ts'

export interface PortListener {
  /** A program of the host came, or the one that was there is gone. */
  connected(on: boolean): void
  readable(): void
  writable(): void
}

/** The host's end of a port: who is there, and how bytes get between it and a chain of the guest's. */
export interface PortEnd {
  /** Whether somebody is there. */
  readonly connected: boolean
  start(loop: EventLoop, listener: PortListener): void
  /** Writes what waits for the guest to the chain's writable part; 0 when there is nothing now. */
  receive(chain: DescriptorChain): number
  /** Takes the chain's readable bytes from `offset` on; returns how many, 0 when none can be taken now. */
  send(chain: DescriptorChain, offset: number): number
  /** Throws away what waits for a guest that does not listen. */
  discard(): void
  /** Whether the listener wants to hear of bytes for the guest, and of room for the guest's bytes. */
  watchReadable(on: boolean): void
  watchWritable(on: boolean): void
  /** A program of the guest opened its end, or closed it. */
  guestOpened(open: boolean): void
  /** Hangs up and serves no more, until the next `start`. */
  stop(): void
}
