/**
 * What a guest has written to its disk since somebody last asked, so that the disk can be copied while the guest goes
 * on: everything first, then what was written meanwhile, and only the last of it while the guest is held still.
 * A bit a granule, in memory that the thread which serves the disk and the main thread share; it outlives a reset.
 */

/** Granules are at least this large, and so large that there are at most `MAX_BITS` of them. */
const LEAST_SHIFT = 16
const MAX_BITS = 2 ** 18
/** Words before the bits: whether anything is noted. */
const HEAD = 1

export interface TakenChanges {
  readonly granuleBytes: number
  /** Bit 0 of byte 0 is the first granule. */
  readonly bits: Uint8Array
}

export class DiskChanges {
  private readonly words: Int32Array
  private readonly shift: number
  private readonly granules: number

  /** `shared` is what `allocate` gave for a disk of this size. */
  constructor(shared: SharedArrayBuffer, sizeBytes: number) {
    this.words = new Int32Array(shared)
    this.shift = shiftFor(sizeBytes)
    this.granules = granulesOf(sizeBytes)
  }

  static allocate(sizeBytes: number): SharedArrayBuffer {
    return new SharedArrayBuffer((HEAD + Math.ceil(granulesOf(sizeBytes) / 32)) * 4)
  }

  /** From here on writes are noted. What was complete before is not. */
  begin(): void {
    this.words.fill(0, HEAD)
    Atomics.store(this.words, 0, 1)
  }

  end(): void {
    Atomics.store(this.words, 0, 0)
  }

  get noting(): boolean {
    return Atomics.load(this.words, 0) !== 0
  }

  /**
   * Notes [offset, offset + length). Only when the bytes are in the file: whoever reads the file after `take` has then
   * seen every write that `take` did not tell. Allocates nothing.
   */
  mark(offset: number, length: number): void {
    if (length <= 0 || !this.noting) return
    const first = Math.floor(offset / 2 ** this.shift)
    const last = Math.min(Math.floor((offset + length - 1) / 2 ** this.shift), this.granules - 1)
    for (let bit = first; bit <= last; ) {
      const at = bit & 31
      const count = Math.min(32 - at, last - bit + 1)
      const mask = count === 32 ? -1 : ((1 << count) - 1) << at
      Atomics.or(this.words, HEAD + (bit >>> 5), mask)
      bit += count
    }
  }

  /** What was noted since `begin` or the last call, which is noted no more. */
  take(): TakenChanges {
    const taken = new Int32Array(this.words.length - HEAD)
    for (let i = 0; i < taken.length; i++)
      if (this.words[HEAD + i] !== 0) taken[i] = Atomics.exchange(this.words, HEAD + i, 0)
    return { granuleBytes: 2 ** this.shift, bits: new Uint8Array(taken.buffer) }
  }
}

function shiftFor(sizeBytes: number): number {
  let shift = LEAST_SHIFT
  while (sizeBytes > MAX_BITS * 2 ** shift) shift++
  return shift
}

const granulesOf = (sizeBytes: number): number => Math.ceil(sizeBytes / 2 ** shiftFor(sizeBytes))

/** The control protocol's `disk-changes`; throws with a line for people. */
export function commandChanges(
  disks: readonly { path: string; changes?: SharedArrayBuffer | undefined; sizeBytes?: number | undefined }[],
  { path, note }: { readonly path: string; readonly note: 'begin' | 'go-on' | 'end' },
): { granuleBytes: number; bits: string } {
  const disk = disks.find((one) => one.path === path)
  if (disk?.changes === undefined || disk.sizeBytes === undefined)
    throw new Error(`this VM writes no disk ${path}`)
  const changes = new DiskChanges(disk.changes, disk.sizeBytes)
  if (note === 'begin') changes.begin()
  else if (!changes.noting) throw new Error('what the guest writes is not noted: begin with "note": "begin"')
  if (note === 'end') changes.end()
  const { granuleBytes, bits } = changes.take()
  return { granuleBytes, bits: Buffer.from(bits).toString('base64') }
}
