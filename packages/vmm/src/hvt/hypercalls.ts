/**
 * Solo5's hypercalls (include/hvt_abi.h): a 32-bit OUT to port 0x500 + n with the guest address of the arguments, which
 * also take the result. Everything is synchronous, as the ABI has it, and on the thread of the unikernel's one vCPU;
 * `poll` alone waits, until the kick that takes a vCPU out of KVM_RUN takes it out of there.
 */
import type { Uart } from '../chipset/uart.ts'
import { type GuestMemory, GuestMemoryError } from '../memory/guest-memory.ts'
import * as libc from '../sys/libc.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'

export const HYPERCALL_PORT = 0x500
export const HYPERCALL_PORTS = 16
const CALL = {
  WALLTIME: 1,
  PUTS: 2,
  POLL: 3,
  BLOCK_WRITE: 4,
  BLOCK_READ: 5,
  NET_WRITE: 6,
  NET_READ: 7,
  HALT: 8,
} as const
/** solo5_result_t. */
const RESULT = { OK: 0, AGAIN: 1, EINVAL: 2, EUNSPEC: 3 } as const
/** In struct hvt_hc_block_… and …_net_…: handle, offset (block only), data, len, ret. */
const BLOCK = { handle: 0, offset: 8, data: 16, length: 24, result: 32 } as const
const NET = { handle: 0, data: 8, length: 16, result: 24 } as const
const POLL = { timeout: 0, ready: 8, result: 16 } as const

const SECTOR = 512
const MAX_TRANSFER = 16 * 1024 * 1024
const MAX_PUTS = 64 * 1024
/** struct virtio_net_hdr_v1, which a TAP opened by this monitor has before each frame. */
const TAP_HEADER_BYTES = 12
const MAX_FRAME = 65_536
const ETHERNET_HEADER_BYTES = 14
/** A poll that waits longer is cut into such, because epoll_wait takes 32 bits. */
const POLL_SLICE_MS = 3_600_000
const EVENT_BYTES = 12
const CLOCK_REALTIME = 0
const EINTR = 4
const EAGAIN = 11

/** What is behind the manifest's entries, by handle; undefined: nothing. */
export type HvtDevice =
  | { readonly kind: 'block'; readonly fd: number; readonly bytes: number; readonly readOnly: boolean }
  | { readonly kind: 'net'; readonly fd: number }

export interface HypercallOptions {
  readonly memory: GuestMemory
  readonly uart: Uart
  readonly devices: readonly (HvtDevice | undefined)[]
}

/** `interrupted`: the thread is wanted elsewhere; the same call goes on when it is made again. */
export type HypercallEnd = 'done' | 'interrupted' | 'halted'

export class Hypercalls {
  /** What the guest ended with, after `halted`: 0 is success. */
  status = 0
  private readonly options: HypercallOptions
  private readonly epollFd = libc.check('epoll_create1', libc.epollCreate(0o2000000))
  private readonly events = new DataView(new ArrayBuffer(EVENT_BYTES * 64))
  private readonly frame = new NativeBuffer(TAP_HEADER_BYTES + MAX_FRAME)
  /** When an interrupted poll is over, in `performance.now()`. */
  private deadline: number | undefined

  constructor(options: HypercallOptions) {
    this.options = options
    for (const [handle, device] of options.devices.entries()) {
      if (device?.kind !== 'net') continue
      const request = new DataView(new ArrayBuffer(EVENT_BYTES))
      request.setUint32(0, libc.EPOLL.IN, true)
      request.setUint32(4, handle, true)
      libc.check('epoll_ctl', libc.epollCtl(this.epollFd, libc.EPOLL.CTL_ADD, device.fd, request))
    }
  }

  close(): void {
    libc.close(this.epollFd)
    this.frame.free()
  }

  /** `number` is the port's distance from HYPERCALL_PORT, `at` what was written there. */
  call(number: number, at: number): HypercallEnd {
    try {
      return this.serve(number, at)
    } catch (error) {
      // Arguments outside RAM: the guest's mistake, and nothing to tell it by.
      if (!(error instanceof GuestMemoryError)) throw error
      return 'done'
    }
  }

  private serve(number: number, at: number): HypercallEnd {
    const { memory } = this.options
    switch (number) {
      case CALL.WALLTIME:
        this.wallTime(at)
        break
      case CALL.PUTS:
        this.puts(at)
        break
      case CALL.POLL:
        return this.poll(at)
      case CALL.BLOCK_WRITE:
      case CALL.BLOCK_READ:
        memory.writeU32(at + BLOCK.result, this.block(at, number === CALL.BLOCK_WRITE))
        break
      case CALL.NET_WRITE:
        memory.writeU32(at + NET.result, this.send(at))
        break
      case CALL.NET_READ:
        memory.writeU32(at + NET.result, this.receive(at))
        break
      case CALL.HALT:
        this.status = memory.readU32(at + 8) | 0
        return 'halted'
    }
    return 'done'
  }

  private wallTime(at: number): void {
    const now = new BigInt64Array(2)
    libc.clockGettime(CLOCK_REALTIME, now)
    const nanoseconds = new BigUint64Array([BigInt.asUintN(64, now[0]! * 1_000_000_000n + now[1]!)])
    this.options.memory.write(at, new Uint8Array(nanoseconds.buffer))
  }

  private puts(at: number): void {
    const { memory, uart } = this.options
    const address = memory.readU64(at)
    const text = new Uint8Array(Math.min(memory.readU64(at + 8), MAX_PUTS))
    memory.read(address, text)
    for (const byte of text) uart.writeRegister(0, byte)
  }

  private poll(at: number): HypercallEnd {
    const { memory } = this.options
    this.deadline ??= performance.now() + memory.readU64(at + POLL.timeout) / 1e6
    let count: number
    for (;;) {
      const left = Math.max(0, Math.ceil(this.deadline - performance.now()))
      count = libc.epollWait(this.epollFd, this.events, 64, Math.min(left, POLL_SLICE_MS))
      if (count < 0 && libc.errno() === EINTR) return 'interrupted'
      if (count !== 0 || left <= POLL_SLICE_MS) break
    }
    this.deadline = undefined
    let ready = 0n
    for (let i = 0; i < count; i++) ready |= 1n << BigInt(this.events.getUint32(i * EVENT_BYTES + 4, true))
    memory.write(at + POLL.ready, new Uint8Array(new BigUint64Array([ready]).buffer))
    memory.writeU32(at + POLL.result, Math.max(0, count))
    return 'done'
  }

  private block(at: number, write: boolean): number {
    const { memory } = this.options
    const device = this.options.devices[memory.readU64(at + BLOCK.handle)]
    const offset = memory.readU64(at + BLOCK.offset)
    const address = memory.readU64(at + BLOCK.data)
    const length = memory.readU64(at + BLOCK.length)
    if (device?.kind !== 'block' || offset % SECTOR !== 0 || length % SECTOR !== 0) return RESULT.EINVAL
    if (length === 0 || length > MAX_TRANSFER || offset + length > device.bytes) return RESULT.EINVAL
    if (write && device.readOnly) return RESULT.EUNSPEC
    if (!memory.contains(address, length)) return RESULT.EINVAL
    for (let done = 0; done < length; ) {
      const piece = memory.contiguous(address + done, length - done)
      const host = memory.hostAddress(address + done, piece)
      const count = write
        ? libc.pwriteAt(device.fd, host, piece, offset + done)
        : libc.preadAt(device.fd, host, piece, offset + done)
      if (count <= 0) return RESULT.EUNSPEC
      done += count
    }
    return RESULT.OK
  }

  private send(at: number): number {
    const { memory } = this.options
    const device = this.options.devices[memory.readU64(at + NET.handle)]
    const address = memory.readU64(at + NET.data)
    const length = memory.readU64(at + NET.length)
    if (device?.kind !== 'net' || length < ETHERNET_HEADER_BYTES || length > MAX_FRAME) return RESULT.EINVAL
    if (!memory.contains(address, length)) return RESULT.EINVAL
    this.frame.bytes.fill(0, 0, TAP_HEADER_BYTES)
    memory.read(address, this.frame.bytes.subarray(TAP_HEADER_BYTES, TAP_HEADER_BYTES + length))
    // A full queue of the interface drops the frame, as a wire would.
    const sent = libc.writeAt(device.fd, this.frame.address, TAP_HEADER_BYTES + length)
    return sent < 0 && libc.errno() !== EAGAIN ? RESULT.EUNSPEC : RESULT.OK
  }

  private receive(at: number): number {
    const { memory } = this.options
    const device = this.options.devices[memory.readU64(at + NET.handle)]
    const address = memory.readU64(at + NET.data)
    const room = memory.readU64(at + NET.length)
    if (device?.kind !== 'net' || room > MAX_FRAME || !memory.contains(address, room)) return RESULT.EINVAL
    const count = libc.readAt(device.fd, this.frame.address, this.frame.length)
    if (count <= TAP_HEADER_BYTES) return RESULT.AGAIN
    const length = Math.min(count - TAP_HEADER_BYTES, room)
    memory.write(address, this.frame.bytes.subarray(TAP_HEADER_BYTES, TAP_HEADER_BYTES + length))
    memory.writeU64(at + NET.length, length)
    return RESULT.OK
  }
}
