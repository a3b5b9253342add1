import type { DisplayNotice, DisplayRequest, DisplayViewer } from '@hearth/shared/agent-protocol'
import type RFB from '@novnc/novnc'
import { advance, type ConnectionEvent, type ConnectionState, initialConnection } from './connection.ts'
import { DisplayChannel } from './display-channel.ts'

/** `fit`: scaled to the window; `actual`: pixel for pixel; `follow`: the guest is asked to take the window's size. */
export const displayModes = ['follow', 'fit', 'actual'] as const
export type DisplayMode = (typeof displayModes)[number]

export interface DisplayFigures {
  /** Milliseconds from the VM's monitor to this screen and back; 0 while unknown. */
  roundTripMs: number
  framesPerSecond: number
  bytesPerSecond: number
}

export interface DisplaySnapshot {
  readonly state: ConnectionState
  /** Of the guest's picture in pixels; null before the first one. */
  readonly size: { readonly width: number; readonly height: number } | null
  readonly viewers: readonly DisplayViewer[]
  /** This page among them; null until the host has said so. */
  readonly me: DisplayViewer | null
  readonly figures: DisplayFigures | null
  /** Text the guest copied last; another object each time it copied. */
  readonly guestClipboard: { readonly text: string } | null
  /** Whether the guest has an agent that shares its clipboard; null until the host has said so. */
  readonly guestShares: boolean | null
  /** An administrator has this screen recorded. */
  readonly recorded: boolean
}

export interface DisplaySessionOptions {
  /** Where the screen goes; empty while there is none. */
  readonly target: HTMLElement
  /** Where the last picture stays while the connection is away. */
  readonly frozen: HTMLElement
  readonly openTicket: () => Promise<{ url: string }>
  /** Why a ticket was refused: one of our error codes. */
  readonly refusalCode: (error: unknown) => string
  readonly loadRfb: () => Promise<{ default: typeof RFB }>
}

const figuresMs = 1_000
/** A window that is being dragged rests this long before the guest is asked for its size. */
const resizeRestMs = 250

/** Owns socket, noVNC and timers of one screen on a page. Everything is let go by `dispose`. */
export class DisplaySession {
  readonly #options: DisplaySessionOptions
  readonly #listeners = new Set<() => void>()
  #snapshot: DisplaySnapshot = {
    state: initialConnection,
    size: null,
    viewers: [],
    me: null,
    figures: null,
    guestClipboard: null,
    guestShares: null,
    recorded: false,
  }
  #rfb: RFB | undefined
  #channel: DisplayChannel | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #mode: DisplayMode = 'fit'
  #watchOnly = false
  /** It had keyboard and pointer when the connection broke, and wants them back. */
  #hadControl = false
  #figuresTimer: ReturnType<typeof setInterval> | undefined
  #lastFigures: { at: number; updates: number; bytes: number } | null = null
  #disposed = false
  #resizeTimer: ReturnType<typeof setTimeout> | undefined
  /**
   * noVNC asks by itself, but not again when a size changed while its last question was on the way and the answer
   * was "forwarded", which is what the guest's freedom to refuse makes every answer.
   */
  readonly #resized = new ResizeObserver(() => {
    this.#formerSizes.add(this.#targetSize)
    const { width, height } = this.#options.target.getBoundingClientRect()
    this.#targetSize = sizeText(width, height)
    this.#wishSoon()
  })
  #targetSize = ''
  /** The target's sizes until the guest has the one it is now. */
  readonly #formerSizes = new Set<string>()

  constructor(options: DisplaySessionOptions) {
    this.#options = options
    this.#resized.observe(options.target)
  }

  start(): void {
    this.#enter(this.#snapshot.state)
  }

  dispose(): void {
    this.#disposed = true
    clearTimeout(this.#timer)
    clearInterval(this.#figuresTimer)
    clearTimeout(this.#resizeTimer)
    this.#resized.disconnect()
    this.#drop()
    this.#options.frozen.replaceChildren()
    this.#listeners.clear()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly getSnapshot = (): DisplaySnapshot => this.#snapshot

  /** noVNC's own object while connected, for keys and pictures. */
  get rfb(): RFB | undefined {
    return this.#snapshot.state.at === 'live' ? this.#rfb : undefined
  }

  setMode(mode: DisplayMode): void {
    this.#mode = mode
    this.#apply()
  }

  /** Watching by choice: keyboard and pointer are given away. */
  setWatchOnly(on: boolean): void {
    if (on === this.#watchOnly) return
    this.#watchOnly = on
    this.request({ type: on ? 'give_control' : 'take_control' })
    this.#apply()
  }

  request(request: DisplayRequest): void {
    this.#channel?.request(request)
  }

  showFigures(on: boolean): void {
    clearInterval(this.#figuresTimer)
    this.#lastFigures = null
    this.#change({ figures: null })
    if (!on) return
    this.#figuresTimer = setInterval(() => this.request({ type: 'figures' }), figuresMs)
    this.request({ type: 'figures' })
  }

  tell(event: ConnectionEvent): void {
    if (this.#disposed) return
    const { state } = this.#snapshot
    const next = advance(state, event, Date.now())
    if (next === state) return
    const sameStage = next.at === state.at && next.at === 'waiting'
    this.#change({ state: next })
    if (!sameStage) this.#enter(next)
  }

  #change(change: Partial<DisplaySnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change }
    for (const listener of this.#listeners) listener()
  }

  #enter(state: ConnectionState): void {
    clearTimeout(this.#timer)
    switch (state.at) {
      case 'opening':
        this.#drop()
        this.#options.openTicket().then(
          ({ url }) => this.tell({ type: 'ticket', url }),
          (error: unknown) => this.tell({ type: 'ticket_refused', code: this.#options.refusalCode(error) }),
        )
        break
      case 'connecting':
        void this.#connect(state.url)
        break
      case 'waiting':
        this.#drop()
        this.#timer = setTimeout(() => this.tell({ type: 'retry' }), Math.max(0, state.retryAt - Date.now()))
        break
      case 'stopped':
      case 'ended':
        this.#drop()
        break
      case 'live':
        this.#options.frozen.replaceChildren()
        this.#apply()
        if (this.#watchOnly) this.request({ type: 'give_control' })
        else if (this.#hadControl) this.request({ type: 'take_control' })
        break
    }
  }

  async #connect(path: string): Promise<void> {
    const { default: Rfb } = await this.#options.loadRfb()
    const { state } = this.#snapshot
    if (this.#disposed || state.at !== 'connecting' || state.url !== path) return
    const url = new URL(path, window.location.href)
    url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:'
    const channel: DisplayChannel = new DisplayChannel(new WebSocket(url), {
      notice: (notice) => {
        if (this.#channel === channel) this.#notice(notice)
      },
      closed: (code) => {
        if (this.#channel !== channel) return
        this.#freeze()
        this.#channel = undefined
        this.#hadControl = this.#snapshot.me?.control === true
        this.tell({ type: 'socket_closed', code })
      },
    })
    this.#channel = channel
    const rfb = new Rfb(this.#options.target, channel)
    this.#rfb = rfb
    rfb.background = 'transparent'
    rfb.qualityLevel = 7
    rfb.showDotCursor = true
    rfb.addEventListener('connect', () => {
      if (this.#rfb !== rfb) return
      this.#watchSize()
      this.tell({ type: 'socket_open' })
    })
    rfb.addEventListener('clipboard', (event) => {
      const { text } = (event as CustomEvent<{ text: string }>).detail
      this.#change({ guestClipboard: { text } })
    })
  }

  /** noVNC tells nobody when the guest changes its size; its canvas does. */
  #watchSize(): void {
    const canvas = this.#options.target.querySelector('canvas')
    if (!canvas) return
    const look = () => {
      const { size } = this.#snapshot
      if (canvas.width === 0 || (size?.width === canvas.width && size.height === canvas.height)) return
      this.#change({ size: { width: canvas.width, height: canvas.height } })
      const taken = sizeText(canvas.width, canvas.height)
      if (taken === this.#targetSize) this.#formerSizes.clear()
      // The answer to a wish that is no longer ours; any other size is the guest's own will.
      else if (this.#formerSizes.has(taken)) this.#wishSoon()
    }
    const observer = new MutationObserver(look)
    observer.observe(canvas, { attributes: true, attributeFilter: ['width', 'height'] })
    look()
  }

  /** Asks the guest for the window's size when that rests, where it is to follow and has another. */
  #wishSoon(): void {
    clearTimeout(this.#resizeTimer)
    this.#resizeTimer = setTimeout(() => {
      if (this.#rfb?.resizeSession) this.#rfb.resizeSession = true
    }, resizeRestMs)
  }

  #notice(notice: DisplayNotice): void {
    if (notice.type === 'figures') {
      const now = performance.now()
      const before = this.#lastFigures
      this.#lastFigures = { at: now, updates: notice.updates, bytes: notice.bytes }
      const seconds = before ? (now - before.at) / 1000 : 0
      this.#change({
        figures: {
          roundTripMs: notice.roundTripMs,
          framesPerSecond: before ? (notice.updates - before.updates) / seconds : 0,
          bytesPerSecond: before ? (notice.bytes - before.bytes) / seconds : 0,
        },
      })
      return
    }
    if (notice.type === 'recorded') {
      this.#change({ recorded: notice.on })
      return
    }
    const me = notice.viewers.find(({ id }) => id === notice.you) ?? null
    this.#change({ viewers: notice.viewers, me, guestShares: notice.clipboard ?? null })
    this.#apply()
  }

  #apply(): void {
    const rfb = this.#rfb
    if (!rfb) return
    const { me } = this.#snapshot
    // What the host would not take is not sent; the size is the wish of whoever types.
    const types = !this.#watchOnly && me?.control === true
    // Each assignment makes noVNC act anew, also with the value it has.
    const wanted = {
      viewOnly: !types,
      scaleViewport: this.#mode !== 'actual',
      resizeSession: this.#mode === 'follow' && types,
    }
    if (rfb.viewOnly !== wanted.viewOnly) rfb.viewOnly = wanted.viewOnly
    if (rfb.scaleViewport !== wanted.scaleViewport) rfb.scaleViewport = wanted.scaleViewport
    if (rfb.resizeSession !== wanted.resizeSession) rfb.resizeSession = wanted.resizeSession
  }

  /** Keeps the last picture on the page: what was on screen stays readable while nothing new comes. */
  #freeze(): void {
    const canvas = this.#options.target.querySelector('canvas')
    if (!canvas || canvas.width === 0) return
    const copy = document.createElement('canvas')
    copy.width = canvas.width
    copy.height = canvas.height
    copy.getContext('2d')?.drawImage(canvas, 0, 0)
    this.#options.frozen.replaceChildren(copy)
  }

  #drop(): void {
    const rfb = this.#rfb
    const channel = this.#channel
    this.#rfb = undefined
    this.#channel = undefined
    // Of an old connection's viewers nothing is known any more.
    if (this.#snapshot.viewers.length > 0) this.#change({ viewers: [], me: null, recorded: false })
    if (rfb) {
      try {
        rfb.disconnect()
      } catch {
        // It had ended by itself.
      }
    }
    channel?.close()
  }
}

const sizeText = (width: number, height: number): string => `${Math.floor(width)}×${Math.floor(height)}`
