import koffi from 'koffi'
import * as libc from '../../sys/libc.ts'

const lib = koffi.load(null)
const memset: (address: number, value: number, length: number) => number = lib.func(
  'intptr_t memset(intptr_t s, int c, size_t n)',
)
const memcpyFrom: (target: ArrayBufferView, address: number, length: number) => number = lib.func(
  'intptr_t memcpy(void *dst, intptr_t src, size_t n)',
)
const memcpyTo: (address: number, source: ArrayBufferView, length: number) => number = lib.func(
  'intptr_t memcpy(intptr_t dst, void *src, size_t n)',
)

/** Sets `length` bytes at `address` to zero. */
export function zeroAt(address: number, length: number): void {
  memset(address, 0, length)
}

/** Copies from memory at `address` into `target`, which it fills. */
export function copyFrom(address: number, target: Uint8Array): void {
  memcpyFrom(target, address, target.length)
}

/** Copies `source` to memory at `address`. */
export function copyTo(address: number, source: Uint8Array): void {
  memcpyTo(address, source, source.length)
}

/** Memory of ours that iovecs can point into, because it has an address that stays. */
export class HostBuffer {
  readonly address: number
  readonly bytes: Uint8Array

  constructor(length: number) {
    this.address = libc.mmap(
      0,
      length,
      libc.PROT.READ | libc.PROT.WRITE,
      libc.MAP.PRIVATE | libc.MAP.ANONYMOUS,
      -1,
      0,
    )
    if (this.address === -1) throw new libc.SystemError('mmap', libc.errno())
    this.bytes = new Uint8Array(libc.viewOf(this.address, length))
  }

  /** Neither `address` nor `bytes` may be touched afterwards. */
  close(): void {
    libc.munmap(this.address, this.bytes.length)
  }
}
