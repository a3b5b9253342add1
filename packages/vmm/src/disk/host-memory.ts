import koffi from 'koffi'

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
