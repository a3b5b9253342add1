/**
 * What a person types or pastes, on its way to a serial line. A large paste goes out in pieces and waits
 * while the socket still holds earlier ones, so that neither the browser nor the portal buffers it all.
 */
export interface InputSocket {
  readonly bufferedAmount: number
  send(data: Uint8Array<ArrayBuffer>): void
}

export const chunkBytes = 1024
/** A 115200 baud line takes 11 KiB a second; more than this in flight only makes Ctrl-C late. */
export const highWaterBytes = 8 * 1024
/** Beyond this a paste is refused: nobody types a megabyte at a console on purpose. */
export const maxQueuedBytes = 1024 * 1024

export class InputQueue {
  readonly #socket: InputSocket
  readonly #later: (run: () => void) => void
  #chunks: Uint8Array<ArrayBuffer>[] = []
  #queued = 0
  #scheduled = false

  constructor(socket: InputSocket, later: (run: () => void) => void) {
    this.#socket = socket
    this.#later = later
  }

  get queuedBytes(): number {
    return this.#queued
  }

  /** False when it would not fit; then nothing of it is sent. */
  push(data: Uint8Array<ArrayBuffer>): boolean {
    if (this.#queued + data.length > maxQueuedBytes) return false
    for (let at = 0; at < data.length; at += chunkBytes) this.#chunks.push(data.subarray(at, at + chunkBytes))
    this.#queued += data.length
    this.#pump()
    return true
  }

  #pump(): void {
    while (this.#chunks.length > 0 && this.#socket.bufferedAmount < highWaterBytes) {
      const chunk = this.#chunks.shift()!
      this.#queued -= chunk.length
      this.#socket.send(chunk)
    }
    if (this.#chunks.length > 0 && !this.#scheduled) {
      this.#scheduled = true
      this.#later(() => {
        this.#scheduled = false
        this.#pump()
      })
    }
  }
}
