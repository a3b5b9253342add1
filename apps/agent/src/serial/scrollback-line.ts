/** What a monitor's serial socket says first: how much scrollback comes before what the guest writes now. */
import { scrollbackLinePrefix, scrollbackLineSchema } from '@hearth/shared/vmm-control'

/** The line is a few dozen bytes; whatever is longer is output of a guest whose monitor sends no line. */
const maxLine = 100

/**
 * Takes the line off the stream and tells where the scrollback ends. A monitor that some earlier Hearth started sends
 * no line: then all is handed on, and the end of the scrollback is said to be at its beginning.
 */
export class ScrollbackLine {
  #head: Buffer | null = Buffer.alloc(0)
  /** Bytes of scrollback still to come; null once they have. */
  #left: number | null = null
  readonly #output: (bytes: Buffer) => void
  readonly #live: () => void

  constructor(output: (bytes: Buffer) => void, live: () => void) {
    this.#output = output
    this.#live = live
  }

  push(chunk: Buffer): void {
    if (!this.#head) {
      this.#pass(chunk)
      return
    }
    const head = Buffer.concat([this.#head, chunk])
    const start = head.toString('latin1', 0, maxLine)
    const end = start.indexOf('\n')
    const length = Math.min(start.length, scrollbackLinePrefix.length)
    const maybe = start.slice(0, length) === scrollbackLinePrefix.slice(0, length)
    if (maybe && end < 0 && head.length < maxLine) {
      this.#head = head
      return
    }
    this.#head = null
    const bytes = maybe && end >= 0 ? parse(start.slice(scrollbackLinePrefix.length, end)) : undefined
    this.#left = bytes ?? 0
    this.#pass(bytes === undefined ? head : head.subarray(end + 1))
  }

  #pass(chunk: Buffer): void {
    if (this.#left === null) {
      if (chunk.length > 0) this.#output(chunk)
      return
    }
    const old = chunk.subarray(0, this.#left)
    if (old.length > 0) this.#output(old)
    this.#left -= old.length
    if (this.#left > 0) return
    this.#left = null
    this.#live()
    if (old.length < chunk.length) this.#output(chunk.subarray(old.length))
  }
}

function parse(text: string): number | undefined {
  try {
    return scrollbackLineSchema.safeParse(JSON.parse(text)).data?.scrollback
  } catch {
    return undefined
  }
}
