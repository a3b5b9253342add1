/** Plays recorded pieces at the speed and from the place somebody wants. Its clock and its screen are given: no DOM. */
import type { RecordedPiece } from './recording-reader.ts'

export interface PlayerScreen {
  /** Begins anew: what follows is the recording from its first byte. */
  reset(): void
  write(data: Uint8Array<ArrayBuffer>): void
}

export interface PlayerState {
  readonly playing: boolean
  /** Milliseconds. */
  readonly position: number
  /** Of what has arrived so far. */
  readonly duration: number
  readonly speed: number
  /** On its way to a place that was chosen, as fast as it can be drawn. */
  readonly seeking: boolean
}

export interface PlayerOptions {
  screen: PlayerScreen
  /** Milliseconds of a clock that never goes back. */
  now: () => number
  /** Calls back at the next frame; the returned function takes it back. */
  frame: (then: () => void) => () => void
}

export const playerSpeeds = [1, 2, 4, 8, 16] as const
/** Handed to the screen in one frame: decoding more would hold the page. */
const frameBytes = 512 * 1024

export class RecordingPlayer {
  readonly #options: PlayerOptions
  readonly #listeners = new Set<() => void>()
  readonly #pieces: RecordedPiece[] = []
  #next = 0
  #complete = false
  #state: PlayerState = { playing: false, position: 0, duration: 0, speed: 1, seeking: false }
  #cancel: (() => void) | null = null
  #last = 0

  constructor(options: PlayerOptions) {
    this.#options = options
    options.screen.reset()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly getState = (): PlayerState => this.#state

  /** More of the recording has arrived. */
  add(pieces: readonly RecordedPiece[]): void {
    if (pieces.length === 0) return
    let { duration } = this.#state
    for (const piece of pieces) {
      // A clock that went back would play for ever.
      duration = Math.max(duration, piece.at)
      this.#pieces.push({ at: duration, data: piece.data })
    }
    this.#change({ duration })
    this.#run()
  }

  /** All of it has arrived: where it stops now is its end. */
  finish(): void {
    this.#complete = true
    this.#run()
  }

  play(): void {
    // At its end, from the beginning.
    if (this.#complete && this.#state.position >= this.#state.duration && this.#next === this.#pieces.length)
      this.seek(0)
    this.#change({ playing: true })
    this.#run()
  }

  pause(): void {
    this.#change({ playing: false })
  }

  setSpeed(speed: number): void {
    this.#change({ speed })
  }

  /** Forward it is drawn through; back it begins anew, since a picture is made of all that came before it. */
  seek(position: number): void {
    const wanted = Math.max(0, Math.min(position, this.#state.duration))
    const before = this.#pieces[this.#next - 1]
    if (before && before.at > wanted) {
      this.#next = 0
      this.#options.screen.reset()
    }
    this.#change({ position: wanted, seeking: true })
    this.#run()
  }

  dispose(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#listeners.clear()
  }

  #run(): void {
    if (this.#cancel) return
    this.#last = this.#options.now()
    this.#schedule()
  }

  #schedule(): void {
    this.#cancel = this.#options.frame(() => {
      this.#cancel = null
      this.#step()
    })
  }

  #step(): void {
    const now = this.#options.now()
    const elapsed = now - this.#last
    this.#last = now
    const { playing, seeking, speed, duration } = this.#state
    let { position } = this.#state
    // While it is drawn up to a place, time stands still.
    if (playing && !seeking) position = Math.min(duration, position + elapsed * speed)
    let left = frameBytes
    let piece = this.#pieces[this.#next]
    for (; piece && piece.at <= position && left > 0; piece = this.#pieces[this.#next]) {
      this.#options.screen.write(piece.data)
      left -= piece.data.length
      this.#next++
    }
    const behind = piece !== undefined && piece.at <= position
    const over = this.#complete && this.#next === this.#pieces.length && position >= duration
    this.#change({ position, seeking: seeking && behind, playing: playing && !over })
    if (behind || this.#state.playing) this.#schedule()
  }

  #change(change: Partial<PlayerState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }
}
