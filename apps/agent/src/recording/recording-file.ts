/** The growing file of one recording: never past its limit, never faster than the disk. */

import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'

export class RecordingFile {
  readonly #stream: WriteStream
  readonly #limit: number
  readonly #full: () => void
  #bytes = 0
  #over = false

  /** `full` is called once, when a piece does not fit any more; that piece and all after it are left out. */
  constructor(path: string, limit: number, full: () => void, failed: (error: Error) => void) {
    this.#stream = createWriteStream(path, { flags: 'wx', mode: 0o600 })
    this.#stream.on('error', failed)
    this.#limit = limit
    this.#full = full
  }

  get bytes(): number {
    return this.#bytes
  }

  /** False: the disk is behind; `drained` tells when it is not. */
  write(piece: Buffer): boolean {
    if (this.#over) return true
    if (this.#bytes + piece.length > this.#limit) {
      this.#over = true
      this.#full()
      return true
    }
    this.#bytes += piece.length
    return this.#stream.write(piece)
  }

  drained(then: () => void): void {
    this.#stream.once('drain', then)
  }

  async close(): Promise<void> {
    this.#over = true
    if (this.#stream.closed || this.#stream.destroyed) return
    const closed = once(this.#stream, 'close').catch(() => undefined)
    this.#stream.end()
    await closed
  }
}
