import type { RawChannel } from '@novnc/novnc'

/** What noVNC plays a recording from: the server's bytes go in, and what noVNC says is nobody's. */
export class RecordedChannel implements RawChannel {
  binaryType = 'arraybuffer'
  readonly protocol = ''
  /** WebSocket.OPEN: the bytes are there already. */
  readonly readyState = 1
  onopen: RawChannel['onopen'] = null
  onerror: RawChannel['onerror'] = null
  onclose: RawChannel['onclose'] = null
  #listener: RawChannel['onmessage'] = null
  #early: ArrayBuffer[] | null = []

  get onmessage(): RawChannel['onmessage'] {
    return this.#listener
  }

  /** noVNC attaches itself a moment after it was made. */
  set onmessage(listener: RawChannel['onmessage']) {
    this.#listener = listener
    // And takes bytes only when it has done so to the end.
    queueMicrotask(() => {
      const early = this.#early ?? []
      this.#early = null
      for (const data of early) this.#deliver(data)
    })
  }

  write(data: Uint8Array<ArrayBuffer>): void {
    const own = data.slice().buffer
    if (this.#early) this.#early.push(own)
    else this.#deliver(own)
  }

  send(): void {}

  close(): void {}

  #deliver(data: ArrayBuffer): void {
    this.#listener?.(new MessageEvent('message', { data }))
  }
}
