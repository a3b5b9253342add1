/** Cuts a byte stream into lines of bounded length. */
export class LineSplitter {
  private readonly limit: number
  private rest = ''
  private readonly decoder = new TextDecoder()

  constructor(limit: number) {
    this.limit = limit
  }

  /** The lines completed by `chunk`, without their ends; undefined when a line is longer than the limit (characters). */
  push(chunk: Uint8Array): string[] | undefined {
    const parts = (this.rest + this.decoder.decode(chunk, { stream: true })).split('\n')
    this.rest = parts.pop()!
    if (this.rest.length > this.limit || parts.some((line) => line.length > this.limit)) return undefined
    return parts
  }
}
