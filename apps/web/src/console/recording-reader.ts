/** Reads a recording while it arrives: FBS (a screen) and asciicast v2 (a serial console). No DOM. */

export interface RecordedPiece {
  /** Milliseconds since the beginning. */
  readonly at: number
  readonly data: Uint8Array<ArrayBuffer>
}

export interface RecordingReader {
  /** Bytes of the file, in order; returns the pieces that are whole now. Throws when it is no such file. */
  append(bytes: Uint8Array): RecordedPiece[]
}

const fbsName = 'FBS 001.'
const fbsHeaderBytes = 12
/** Far more than a recorder writes at once; a length above it is damage. */
const maxPieceBytes = 64 * 1024 * 1024

export class FbsReader implements RecordingReader {
  #rest = new Uint8Array(0)
  #named = false

  append(bytes: Uint8Array): RecordedPiece[] {
    const all = new Uint8Array(this.#rest.length + bytes.length)
    all.set(this.#rest)
    all.set(bytes, this.#rest.length)
    const view = new DataView(all.buffer)
    const pieces: RecordedPiece[] = []
    let at = 0
    if (!this.#named && all.length >= fbsHeaderBytes) {
      if (new TextDecoder('latin1').decode(all.subarray(0, fbsName.length)) !== fbsName)
        throw new Error('not an FBS file')
      this.#named = true
      at = fbsHeaderBytes
    }
    while (this.#named && all.length - at >= 4) {
      const length = view.getUint32(at)
      if (length > maxPieceBytes) throw new Error('a damaged FBS file')
      const padded = (length + 3) & ~3
      if (all.length - at < 8 + padded) break
      pieces.push({ at: view.getUint32(at + 4 + padded), data: all.slice(at + 4, at + 4 + length) })
      at += 8 + padded
    }
    this.#rest = all.slice(at)
    return pieces
  }
}

export class AsciicastReader implements RecordingReader {
  readonly #decoder = new TextDecoder()
  readonly #encoder = new TextEncoder()
  #rest = ''
  #named = false

  append(bytes: Uint8Array): RecordedPiece[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    const pieces: RecordedPiece[] = []
    for (const line of lines) {
      const value: unknown = JSON.parse(line)
      if (!this.#named) {
        if ((value as { version?: unknown } | null)?.version !== 2)
          throw new Error('not an asciicast v2 file')
        this.#named = true
      } else if (Array.isArray(value) && value[1] === 'o' && typeof value[0] === 'number') {
        pieces.push({ at: value[0] * 1000, data: this.#encoder.encode(String(value[2])) })
      }
    }
    return pieces
  }
}
