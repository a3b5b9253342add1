import { performOperation } from './perform.ts'
import type { Ring, RingFiles } from './ring.ts'

/** A ring whose operations are done, one after the other, when they are submitted. */
export class BlockingRing implements Ring {
  /** Nothing ever ends but within `submit`. */
  readonly fd = -1
  readonly entries: number
  result = 0
  private readonly files: RingFiles
  private readonly pushed: { readonly tag: number; readonly perform: () => number }[] = []
  private readonly ended: { readonly tag: number; readonly result: number }[] = []

  constructor(files: RingFiles, entries: number) {
    this.files = files
    this.entries = entries
  }

  push(
    operation: number,
    direct: boolean,
    offset: number,
    address: number,
    length: number,
    _flags: number,
    tag: number,
  ): void {
    const { fd: buffered, directFd } = this.files
    const fd = direct ? directFd! : buffered
    this.pushed.push({
      tag,
      perform: () => performOperation(fd, operation, offset, address, length),
    })
  }

  submit(): void {
    for (const { tag, perform } of this.pushed.splice(0)) this.ended.push({ tag, result: perform() })
  }

  wait(): void {
    this.submit()
  }

  take(): number {
    const next = this.ended.shift()
    if (next === undefined) return -1
    this.result = next.result
    return next.tag
  }

  close(): void {}
}
