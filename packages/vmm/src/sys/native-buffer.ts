import * as libc from './libc.ts'

/** Memory of ours whose address a system call may be given in an iovec: anonymous pages outside V8's heap. */
export class NativeBuffer {
  readonly address: number
  readonly length: number
  readonly bytes: Uint8Array
  private mapped = true

  constructor(length: number) {
    this.length = length
    this.address = libc.check(
      'mmap',
      libc.mmap(0, length, libc.PROT.READ | libc.PROT.WRITE, libc.MAP.PRIVATE | libc.MAP.ANONYMOUS, -1, 0),
    )
    this.bytes = new Uint8Array(libc.viewOf(this.address, length))
  }

  /** Nothing may use `bytes` or the address afterwards. Idempotent. */
  free(): void {
    if (!this.mapped) return
    this.mapped = false
    libc.munmap(this.address, this.length)
  }
}
