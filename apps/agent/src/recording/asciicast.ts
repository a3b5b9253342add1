/** asciicast v2: a line of JSON about the whole, then a line `[seconds, "o", text]` for each piece of output. */
import { StringDecoder } from 'node:string_decoder'

export function asciicastHeader(options: { title: string; startedAt: Date }): Buffer {
  // A serial line has no size; the reader's terminal is as good as any.
  return line({
    version: 2,
    width: 80,
    height: 24,
    timestamp: Math.floor(options.startedAt.getTime() / 1000),
    title: options.title,
  })
}

/** Characters that are cut between two pieces are put together again. */
export class AsciicastEvents {
  readonly #decoder = new StringDecoder('utf8')

  /** Empty as long as there is no whole character. */
  event(bytes: Buffer, milliseconds: number): Buffer {
    const text = this.#decoder.write(bytes)
    return text === '' ? Buffer.alloc(0) : line([milliseconds / 1000, 'o', text])
  }
}

const line = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)
