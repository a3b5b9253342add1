/**
 * Keys and pointer on their way from the display thread (the only writer) to the thread that owns the input
 * devices (the only reader). Bounded: when the reader does not come (no machine runs, or it is busy), events are
 * dropped, and the reader is told to let everything go, so that no key stays down for a lost release.
 */
/** A pasted page fits. */
const CAPACITY = 4096
const WORDS = 4
/** Words of the header: how many were written and read, and whether some were dropped. */
const WRITTEN = 0
const READ = 1
const DROPPED = 2
const HEADER = 4

export const INPUT_KIND = { KEY: 1, KEYSYM: 2, POINTER: 3, WHEEL: 4 } as const

export interface InputReader {
  key(scancode: number, down: boolean): void
  keysym(keysym: number, down: boolean): void
  pointer(x: number, y: number, buttons: number): void
  wheel(vertical: number, horizontal: number): void
  /** Events were lost: nothing that is held may be trusted. */
  releaseAll(): void
}

export class InputRing {
  readonly shared: SharedArrayBuffer
  private readonly words: Int32Array

  constructor(shared = new SharedArrayBuffer((HEADER + CAPACITY * WORDS) * 4)) {
    this.shared = shared
    this.words = new Int32Array(shared)
  }

  /** False: there was no room. */
  put(kind: number, a: number, b: number, c: number): boolean {
    const { words } = this
    const written = words[WRITTEN]!
    if (((written - Atomics.load(words, READ)) | 0) >= CAPACITY) {
      Atomics.store(words, DROPPED, 1)
      return false
    }
    const at = HEADER + ((written >>> 0) % CAPACITY) * WORDS
    words[at] = kind
    words[at + 1] = a
    words[at + 2] = b
    words[at + 3] = c
    Atomics.store(words, WRITTEN, (written + 1) | 0)
    return true
  }

  /** Hands over everything that came. */
  drain(reader: InputReader): void {
    const { words } = this
    let read = words[READ]!
    while (read !== Atomics.load(words, WRITTEN)) {
      const at = HEADER + ((read >>> 0) % CAPACITY) * WORDS
      const [kind, a, b, c] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!]
      read = (read + 1) | 0
      Atomics.store(words, READ, read)
      if (kind === INPUT_KIND.KEY) reader.key(a, b !== 0)
      else if (kind === INPUT_KIND.KEYSYM) reader.keysym(a >>> 0, b !== 0)
      else if (kind === INPUT_KIND.POINTER) reader.pointer(a, b, c)
      else if (kind === INPUT_KIND.WHEEL) reader.wheel(a, b)
    }
    if (Atomics.exchange(words, DROPPED, 0) !== 0) reader.releaseAll()
  }
}
