import type { EventLoop } from '../io/event-loop.ts'
import * as libc from '../sys/libc.ts'
import type { IovecList } from '../virtio/chain.ts'
import { NET_F } from '../virtio/net-config.ts'
import { NET_HEADER_BYTES, type NetBackend, type NetListener } from './backend.ts'
import { FdWatch } from './fd-watch.ts'
import { NetError } from './net-error.ts'

/** <linux/if_tun.h> */
const TUNSETIFF = 0x4004_54ca
const TUNSETOFFLOAD = 0x4004_54d0
const TUNSETVNETHDRSZ = 0x4004_54d8
const TUNSETQUEUE = 0x4004_54d9
const SIOCGIFMTU = 0x8921
const SOCK_CLOEXEC = 0o2000000
const ETHERNET_MTU = 1500
/** What the interface is told while a machine runs. */
export const TAP_IOCTLS = [TUNSETOFFLOAD, TUNSETQUEUE] as const
const IFF_TAP = 0x0002
const IFF_MULTI_QUEUE = 0x0100
const IFF_ATTACH_QUEUE = 0x0200
const IFF_DETACH_QUEUE = 0x0400
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
const TUN_F = { CSUM: 1, TSO4: 2, TSO6: 4, TSO_ECN: 8 } as const
/** struct ifreq: char name[16], then a union. */
const IFREQ_BYTES = 40
const IFNAMSIZ = 16
const ERRNO = { EPERM: 1, ENOENT: 2, EINTR: 4, EAGAIN: 11, EBUSY: 16, EINVAL: 22, EBADFD: 77 } as const

/**
 * Opens the TAP interface `name` and sets it up for TapBackend: whole frames behind a 12-byte virtio header.
 * The interface must exist unless `create` (a mistyped name would otherwise make one that leads nowhere). Returns
 * a non-blocking fd. With `multiQueue` it is one of several of the same interface, each with its share of the packets.
 */
export function openTap(
  name: string,
  options: { readonly create?: boolean; readonly multiQueue?: boolean } = {},
): number {
  if (name.length === 0 || name.length >= IFNAMSIZ || /[/\s\0]/.test(name)) {
    throw new NetError(`"${name}" is not the name of a network interface`)
  }
  if (!options.create && libc.ifNameToIndex(name) === 0) {
    throw new NetError(`there is no network interface ${name} on this host`)
  }
  const fd = libc.open('/dev/net/tun', libc.O.RDWR | libc.O.NONBLOCK | libc.O.CLOEXEC, 0)
  if (fd < 0) {
    const code = libc.errno()
    const hint = code === ERRNO.ENOENT ? '; load the kernel module tun' : ''
    throw new NetError(`cannot open /dev/net/tun: ${new libc.SystemError('open', code).message}${hint}`)
  }
  try {
    const request = new DataView(new ArrayBuffer(IFREQ_BYTES))
    new TextEncoder().encodeInto(name, new Uint8Array(request.buffer, 0, IFNAMSIZ - 1))
    request.setUint16(
      IFNAMSIZ,
      IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (options.multiQueue ? IFF_MULTI_QUEUE : 0),
      true,
    )
    if (libc.ioctl(fd, TUNSETIFF, request) < 0) {
      const code = libc.errno()
      throw new NetError(tapRefusal(name, code), code)
    }
    const size = new Int32Array([NET_HEADER_BYTES])
    libc.check('TUNSETVNETHDRSZ', libc.ioctl(fd, TUNSETVNETHDRSZ, size))
    return fd
  } catch (error) {
    libc.close(fd)
    throw error
  }
}

/** The largest packet without its Ethernet header that `interface` carries, in bytes; what most have when it does not say. */
export function mtuOf(name: string): number {
  const [AF_INET, SOCK_DGRAM] = [2, 2]
  const fd = libc.check('socket', libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))
  const request = new DataView(new ArrayBuffer(IFREQ_BYTES))
  new TextEncoder().encodeInto(name, new Uint8Array(request.buffer, 0, IFNAMSIZ - 1))
  const known = libc.ioctl(fd, SIOCGIFMTU, request) >= 0
  libc.close(fd)
  return known ? request.getInt32(IFNAMSIZ, true) : ETHERNET_MTU
}

/** Opens as many queues as the interface allows, at most `wanted`: one, unless it was made with `multi_queue`. */
export function openTapQueues(name: string, wanted: number): number[] {
  try {
    return [openTap(name)]
  } catch (error) {
    // An interface is opened as it was made, or not at all.
    if (!(error instanceof NetError) || error.errno !== ERRNO.EINVAL) throw error
  }
  const fds: number[] = []
  try {
    for (let i = 0; i < wanted; i++) fds.push(openTap(name, { multiQueue: true }))
    return fds
  } catch (error) {
    for (const fd of fds) libc.close(fd)
    throw error
  }
}

function tapRefusal(name: string, code: number): string {
  switch (code) {
    case ERRNO.EBUSY:
      return `the network interface ${name} is in use by another machine`
    case ERRNO.EPERM:
      return `not allowed to use the network interface ${name}: it belongs to another user`
    case ERRNO.EINVAL:
      return `the network interface ${name} is no TAP interface`
    default:
      return `cannot use the network interface ${name}: ${new libc.SystemError('TUNSETIFF', code).message}`
  }
}

/** A TAP interface: the kernel finishes checksums and cuts segments that either side left undone. */
export class TapBackend implements NetBackend {
  readonly features =
    NET_F.CSUM |
    NET_F.GUEST_CSUM |
    NET_F.GUEST_TSO4 |
    NET_F.GUEST_TSO6 |
    NET_F.GUEST_ECN |
    NET_F.HOST_TSO4 |
    NET_F.HOST_TSO6 |
    NET_F.HOST_ECN
  private readonly fd: number
  private readonly borrowed: boolean
  private readonly watch: FdWatch
  private open = true

  /** `fd` comes from `openTap`; taken over unless `borrowed`. */
  constructor(fd: number, options: { readonly borrowed?: boolean } = {}) {
    this.fd = fd
    this.borrowed = options.borrowed ?? false
    this.watch = new FdWatch(fd)
  }

  start(loop: EventLoop, listener: NetListener): void {
    this.watch.start(loop, listener)
  }

  setOffloads(features: bigint): void {
    let flags = 0
    // Segments without GUEST_CSUM make no sense, and the kernel refuses them.
    if ((features & NET_F.GUEST_CSUM) !== 0n) {
      flags |= TUN_F.CSUM
      if ((features & NET_F.GUEST_TSO4) !== 0n) flags |= TUN_F.TSO4
      if ((features & NET_F.GUEST_TSO6) !== 0n) flags |= TUN_F.TSO6
      if ((flags & (TUN_F.TSO4 | TUN_F.TSO6)) !== 0 && (features & NET_F.GUEST_ECN) !== 0n) {
        flags |= TUN_F.TSO_ECN
      }
    }
    libc.check('TUNSETOFFLOAD', libc.ioctlInt(this.fd, TUNSETOFFLOAD, flags))
  }

  attach(on: boolean): void {
    const request = new DataView(new ArrayBuffer(IFREQ_BYTES))
    request.setUint16(IFNAMSIZ, on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE, true)
    if (libc.ioctl(this.fd, TUNSETQUEUE, request) >= 0) return
    // It is so already: the descriptor lives longer than the device.
    const code = libc.errno()
    if (code !== ERRNO.EINVAL) throw new libc.SystemError('TUNSETQUEUE', code)
  }

  receive(iov: IovecList, count: number): number {
    const bytes = libc.readv(this.fd, iov.words, count)
    return bytes >= 0 ? bytes : this.failed()
  }

  send(iov: IovecList, count: number): number {
    const bytes = libc.writev(this.fd, iov.words, count)
    return bytes >= 0 ? bytes : this.failed()
  }

  watchReadable(on: boolean): void {
    this.watch.readable(on)
  }

  watchWritable(on: boolean): void {
    this.watch.writable(on)
  }

  stop(): void {
    this.watch.stop()
  }

  close(): void {
    this.watch.stop()
    if (!this.open) return
    this.open = false
    if (!this.borrowed) libc.close(this.fd)
  }

  /** Of the last call: 0 for "not now", else the negative errno. A removed interface cuts the cable. */
  private failed(): number {
    const code = libc.errno()
    if (code === ERRNO.EAGAIN || code === ERRNO.EINTR) return 0
    if (code === ERRNO.EBADFD) this.watch.linkDown('the TAP interface was removed')
    return -code
  }
}
