/**
 * Between one serial port and any number of viewers. Output goes to the scrollback at once and from there to
 * each viewer at its own pace; a viewer that falls behind sees a marked gap. Input of all viewers goes to the
 * port in the order it came, with back-pressure.
 */
import { Scrollback } from './scrollback.ts'

const SCROLLBACK_BYTES = 1024 * 1024
/** Largest piece handed to a viewer at once, so that one viewer cannot hold the thread. */
const CHUNK = 64 * 1024

/** Where a viewer's output goes. */
export interface ViewerSink {
  /** False when it wants no more until `ViewerHandle.resume` is called. */
  write(bytes: Uint8Array): boolean
}

export interface ViewerHandle {
  /** The sink takes more again. */
  resume(): void
  /** Whether everything written so far has been handed to the sink. */
  readonly caughtUp: boolean
  detach(): void
}

interface Viewer {
  readonly sink: ViewerSink
  cursor: number
  blocked: boolean
}

/** Takes what it can and returns how many bytes; asks again through `SerialHub.inputReady`. */
export type InputTaker = (bytes: Uint8Array) => number

interface PendingInput {
  bytes: Uint8Array
  readonly done: () => void
}

export class SerialHub {
  private readonly scrollback: Scrollback
  private readonly viewers = new Set<Viewer>()
  private readonly input: PendingInput[] = []
  private taker: InputTaker | undefined

  constructor(capacity = SCROLLBACK_BYTES) {
    this.scrollback = new Scrollback(capacity)
  }

  get viewerCount(): number {
    return this.viewers.size
  }

  output(bytes: Uint8Array): void {
    this.scrollback.append(bytes)
    for (const viewer of this.viewers) this.pump(viewer)
  }

  copyScrollback(): Uint8Array {
    const { start, end } = this.scrollback
    return this.scrollback.read(start, end - start)
  }

  /** The whole scrollback comes first, then what follows; `fromNow`: only the latter. */
  attach(sink: ViewerSink, { fromNow = false }: { fromNow?: boolean } = {}): ViewerHandle {
    const { start, end } = this.scrollback
    const viewer: Viewer = { sink, cursor: fromNow ? end : start, blocked: false }
    this.viewers.add(viewer)
    // Not before the caller holds the handle: the sink may want to use it.
    queueMicrotask(() => this.pump(viewer))
    const hub = this
    return {
      resume: () => {
        viewer.blocked = false
        this.pump(viewer)
      },
      get caughtUp() {
        return viewer.cursor === hub.scrollback.end && !viewer.blocked
      },
      detach: () => {
        this.viewers.delete(viewer)
      },
    }
  }

  private pump(viewer: Viewer): void {
    while (!viewer.blocked && this.viewers.has(viewer) && viewer.cursor < this.scrollback.end) {
      const lost = this.scrollback.start - viewer.cursor
      if (lost > 0) {
        viewer.cursor += lost
        viewer.blocked = !viewer.sink.write(gapMarker(lost))
        continue
      }
      const chunk = this.scrollback.read(viewer.cursor, CHUNK)
      viewer.cursor += chunk.length
      viewer.blocked = !viewer.sink.write(chunk)
    }
  }

  /** Where input goes from now on; none while the machine is being rebuilt. What waits is kept. */
  setInput(taker: InputTaker | undefined): void {
    this.taker = taker
    this.inputReady()
  }

  /** Queues input of a viewer. `done` is called when the port has taken all of it: only then read more. */
  send(bytes: Uint8Array, done: () => void): void {
    if (bytes.length === 0) {
      done()
      return
    }
    this.input.push({ bytes, done })
    this.inputReady()
  }

  inputReady(): void {
    while (this.taker && this.input.length > 0) {
      const next = this.input[0]!
      const taken = this.taker(next.bytes)
      next.bytes = next.bytes.subarray(taken)
      if (next.bytes.length > 0) return
      this.input.shift()
      next.done()
    }
  }
}

export function gapMarker(bytes: number): Uint8Array {
  return new TextEncoder().encode(`\r\n[… ${bytes} bytes of output skipped …]\r\n`)
}
