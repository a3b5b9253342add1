/**
 * Guest physical memory as every loader and device sees it. The guest is hostile: every access is checked
 * against the regions, and nothing here ever touches a byte outside them.
 *
 * Regions are shared mappings of one memfd, at most 4 GiB each (a JS view's limit), described by plain numbers
 * so that each worker makes its own views. RAM is one or two regions (below and above the PCI hole), possibly
 * split at 4 GiB windows; a buffer may cross from one to the next, so bulk copies and iovecs go piecewise.
 */

import { viewOf } from '../sys/libc.ts'
import type { DirtyPages } from './dirty-pages.ts'

/** One mapping: guest physical address, bytes, and where it lies in this process. */
export interface GuestRegion {
  readonly guestAddress: number
  readonly size: number
  readonly hostAddress: number
}

/** A guest address or length outside RAM. Carries both for the device's error counter and the log. */
export class GuestMemoryError extends Error {
  readonly address: number
  readonly length: number
  constructor(address: number, length: number) {
    super(`guest memory access outside RAM: 0x${address.toString(16)}+${length}`)
    this.name = 'GuestMemoryError'
    this.address = address
    this.length = length
  }
}

interface Window extends GuestRegion {
  readonly end: number
  readonly bytes: Uint8Array
  readonly view: DataView
}

export class GuestMemory {
  readonly regions: readonly GuestRegion[]
  private readonly windows: Window[]
  /**
   * Where what this process writes is noted for an incremental snapshot: KVM's log has the guest's own writes only.
   * Undefined while nobody wants to know.
   */
  dirty: DirtyPages | undefined
  /** The window of the last access: nearly every access is near the one before. */
  private last: Window

  constructor(regions: readonly GuestRegion[]) {
    if (regions.length === 0) throw new RangeError('guest memory needs a region')
    this.regions = regions
    this.windows = regions.map((region) => {
      const buffer = viewOf(region.hostAddress, region.size)
      return {
        ...region,
        end: region.guestAddress + region.size,
        bytes: new Uint8Array(buffer),
        view: new DataView(buffer),
      }
    })
    this.last = this.windows[0]!
  }

  /** Memory over ordinary buffers, for tests and fuzzing without a VM. `hostAddress` is meaningless there. */
  static ofBuffers(parts: readonly { guestAddress: number; buffer: ArrayBuffer }[]): GuestMemory {
    const memory = Object.create(GuestMemory.prototype) as GuestMemory
    const windows: Window[] = parts.map(({ guestAddress, buffer }) => ({
      guestAddress,
      size: buffer.byteLength,
      hostAddress: 0,
      end: guestAddress + buffer.byteLength,
      bytes: new Uint8Array(buffer),
      view: new DataView(buffer),
    }))
    Object.assign(memory, { regions: windows, windows, last: windows[0] })
    return memory
  }

  /** The window holding all of [address, address + length); throws GuestMemoryError when there is none. */
  private window(address: number, length: number): Window {
    const last = this.last
    if (address >= last.guestAddress && address + length <= last.end) return last
    for (const candidate of this.windows) {
      if (address >= candidate.guestAddress && address + length <= candidate.end) {
        this.last = candidate
        return candidate
      }
    }
    throw new GuestMemoryError(address, length)
  }

  /** Whether [address, address + length) is RAM, contiguous regions counting as one. Length 0 is not. */
  contains(address: number, length: number): boolean {
    if (!(length > 0) || !Number.isSafeInteger(address)) return false
    let at = address
    const end = address + length
    while (at < end) {
      const window = this.windows.find((w) => at >= w.guestAddress && at < w.end)
      if (!window) return false
      at = window.end
    }
    return true
  }

  /**
   * How many bytes from `address` on, at most `length`, lie in one region; 0 when `address` is not RAM.
   * Allocates nothing: a queue splits descriptors at region borders with it.
   */
  contiguous(address: number, length: number): number {
    const last = this.last
    if (address >= last.guestAddress && address < last.end) return Math.min(length, last.end - address)
    for (const window of this.windows) {
      if (address >= window.guestAddress && address < window.end) {
        this.last = window
        return Math.min(length, window.end - address)
      }
    }
    return 0
  }

  /** A view of `length` bytes inside one region, no copy. The guest may change it under you: copy before you trust. */
  bytes(address: number, length: number): Uint8Array {
    const window = this.window(address, length)
    const offset = address - window.guestAddress
    return window.bytes.subarray(offset, offset + length)
  }

  /** Where [address, address + length) lies in this process, for iovecs; the range must be inside one region. */
  hostAddress(address: number, length: number): number {
    const window = this.window(address, length)
    return window.hostAddress + (address - window.guestAddress)
  }

  /** Copies out, crossing contiguous regions. */
  read(address: number, target: Uint8Array): void {
    this.pieces(address, target.length, (bytes, done) => target.set(bytes, done))
  }

  /** Copies in, crossing contiguous regions. */
  write(address: number, source: Uint8Array): void {
    this.dirty?.mark(address, source.length)
    this.pieces(address, source.length, (bytes, done) =>
      bytes.set(source.subarray(done, done + bytes.length)),
    )
  }

  fill(address: number, length: number, value: number): void {
    this.dirty?.mark(address, length)
    this.pieces(address, length, (bytes) => bytes.fill(value))
  }

  /** Calls `visit` with each contiguous piece of the range and how many bytes came before it. Throws before the first visit when any of it is not RAM. */
  pieces(address: number, length: number, visit: (bytes: Uint8Array, done: number) => void): void {
    if (length === 0) return
    if (!this.contains(address, length)) throw new GuestMemoryError(address, length)
    let done = 0
    while (done < length) {
      const window = this.windows.find((w) => address + done >= w.guestAddress && address + done < w.end)!
      const offset = address + done - window.guestAddress
      const count = Math.min(length - done, window.size - offset)
      visit(window.bytes.subarray(offset, offset + count), done)
      done += count
    }
  }

  readU8(address: number): number {
    const w = this.window(address, 1)
    return w.view.getUint8(address - w.guestAddress)
  }
  readU16(address: number): number {
    const w = this.window(address, 2)
    return w.view.getUint16(address - w.guestAddress, true)
  }
  readU32(address: number): number {
    const w = this.window(address, 4)
    return w.view.getUint32(address - w.guestAddress, true)
  }
  /** 64 bits as a number: values above 2^53 lose low bits, which no valid address or length has; they fail every bounds check. */
  readU64(address: number): number {
    const w = this.window(address, 8)
    const offset = address - w.guestAddress
    return w.view.getUint32(offset, true) + w.view.getUint32(offset + 4, true) * 0x1_0000_0000
  }
  writeU8(address: number, value: number): void {
    const w = this.window(address, 1)
    this.dirty?.mark(address, 1)
    w.view.setUint8(address - w.guestAddress, value)
  }
  writeU16(address: number, value: number): void {
    const w = this.window(address, 2)
    this.dirty?.mark(address, 2)
    w.view.setUint16(address - w.guestAddress, value, true)
  }
  writeU32(address: number, value: number): void {
    const w = this.window(address, 4)
    this.dirty?.mark(address, 4)
    w.view.setUint32(address - w.guestAddress, value, true)
  }
  writeU64(address: number, value: number): void {
    const w = this.window(address, 8)
    this.dirty?.mark(address, 8)
    const offset = address - w.guestAddress
    w.view.setUint32(offset, value % 0x1_0000_0000, true)
    w.view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true)
  }
}
