import type { Duplex } from 'node:stream'
import type { VmmScreenshot, VmmViewer } from '@hearth/shared/vmm-control'
import { Picture } from '../display/picture.ts'
import { screenshot } from '../display/screenshot.ts'
import type { Surface } from '../display/surface.ts'
import { MAX_HEIGHT, MAX_WIDTH } from '../display/tiles.ts'
import { RfbProtocolError } from './client-messages.ts'
import { type JpegFactory, REST } from './composer.ts'
import { ControlHolder } from './control-holder.ts'
import { type CursorShape, cropCursor, invisible } from './cursor-shape.ts'
import { InputRouter, type InputSink } from './input-router.ts'
import { Viewer, type ViewerHost } from './viewer.ts'

export interface RfbServerOptions {
  readonly surface: Surface
  /** Shown in the viewer's title. */
  readonly name: string
  readonly input: InputSink
  /** What a viewer copied. */
  readonly clipboard?: (text: string) => void
  /** A line for the log. */
  readonly log?: (line: string) => void
  readonly jpeg?: JpegFactory
  /** Asks the guest for a size; without it the size is the guest's alone. */
  readonly resize?: (width: number, height: number) => void
  /** Somebody came, went, or has keyboard and pointer now. */
  readonly viewersChanged?: () => void
}

/**
 * RFB 3.8 for one screen and any number of viewers, over any byte streams. Who may connect is decided by whoever
 * hands over the stream. While nobody can take an update the guest's picture is not even looked at.
 */
export class RfbServer implements ViewerHost {
  readonly picture = new Picture()
  name: string
  /** How often viewers broke the protocol, by fault. */
  readonly faults = new Map<string, number>()
  private readonly surface: Surface
  private readonly router: InputRouter<Viewer>
  private readonly control = new ControlHolder<Viewer>()
  private readonly options: RfbServerOptions
  private readonly viewers = new Set<Viewer>()
  private cursorShape: CursorShape = invisible
  private cursorImage = 0
  private scheduled = false
  private waiting = false
  private timer: NodeJS.Timeout | null = null
  private closing = false

  constructor(options: RfbServerOptions) {
    this.options = options
    this.surface = options.surface
    this.name = options.name
    this.router = new InputRouter(options.input)
  }

  /** Serves a viewer on `stream` until either side closes it. */
  attach(stream: Duplex, options: { id: string; viewOnly?: boolean }): Viewer {
    this.look()
    const viewer = new Viewer(this, stream, {
      id: options.id,
      viewOnly: options.viewOnly ?? false,
      jpeg: this.options.jpeg ?? null,
    })
    viewer.damage.follow(this.picture)
    this.viewers.add(viewer)
    this.listen()
    // The others may need what this look at the surface found.
    this.wake()
    return viewer
  }

  list(): readonly Viewer[] {
    return [...this.viewers]
  }

  /** Everybody who said who it is. */
  introduced(): VmmViewer[] {
    return [...this.viewers]
      .filter((viewer) => viewer.introduced)
      .map((viewer) => ({
        id: viewer.id,
        name: viewer.name,
        input: viewer.mayType,
        control: this.control.holds(viewer),
        since: viewer.since,
        updates: viewer.stats.updates,
        bytes: viewer.stats.bytes,
        roundTripMs: viewer.flow.roundTrip,
      }))
  }

  /**
   * Gives the introduced viewer `id` keyboard and pointer, or takes them from it; what is held down by whoever loses
   * them is let go. False: there is no such viewer, or it may not type.
   */
  setControl(id: string, take: boolean): boolean {
    const viewer = this.find(id)
    if (!viewer?.mayType) return false
    if (take) {
      const before = this.control.take(viewer)
      if (before !== null) this.router.release(before)
    } else {
      this.control.give(viewer)
      this.router.release(viewer)
    }
    this.options.viewersChanged?.()
    return true
  }

  /** False: there is no such viewer. */
  closeViewer(id: string): boolean {
    const viewer = this.find(id)
    viewer?.close(null)
    return viewer !== undefined
  }

  /** A small picture of what the guest shows, `maxWidth` pixels wide at most. */
  screenshot(maxWidth: number): VmmScreenshot {
    this.look()
    return screenshot(this.picture, maxWidth)
  }

  rename(name: string): void {
    this.name = name
    this.wake()
  }

  /** The guest copied text. Whoever may only watch sees what is on the screen, and nothing else. */
  offerClipboard(text: string): void {
    for (const viewer of this.viewers) if (viewer.mayType) viewer.offerClipboard(text)
  }

  close(): void {
    this.closing = true
    if (this.timer !== null) clearTimeout(this.timer)
    for (const viewer of [...this.viewers]) viewer.close(null)
  }

  /* What viewers ask. */

  wake(): void {
    if (this.scheduled || this.closing) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.pump()
    })
  }

  key(viewer: Viewer, scancode: number, keysym: number, down: boolean): void {
    this.router.key(viewer, scancode, keysym, down)
  }

  pointer(viewer: Viewer, x: number, y: number, buttons: number): void {
    this.router.pointer(viewer, x, y, this.picture.width, this.picture.height, buttons)
  }

  clipboard(_viewer: Viewer, text: string): void {
    this.options.clipboard?.(text)
  }

  resize(_viewer: Viewer, width: number, height: number): boolean {
    if (this.options.resize === undefined) return false
    this.options.resize(Math.min(width, MAX_WIDTH), Math.min(height, MAX_HEIGHT))
    return true
  }

  arrived(viewer: Viewer): void {
    if (!viewer.introduced) return
    this.control.add(viewer)
    // A page that connects again before its old connection was found dead takes its own place.
    for (const other of [...this.viewers]) {
      if (other === viewer || !other.introduced || other.id !== viewer.id) continue
      if (this.control.holds(other)) this.control.take(viewer)
      other.close(null)
    }
    this.options.viewersChanged?.()
  }

  mayType(viewer: Viewer): boolean {
    return this.control.mayType(viewer)
  }

  closed(viewer: Viewer, error: Error | null): void {
    this.viewers.delete(viewer)
    this.router.release(viewer)
    this.control.remove(viewer)
    if (viewer.introduced) this.options.viewersChanged?.()
    if (error === null) return
    const fault = error instanceof RfbProtocolError ? error.fault : 'internal'
    const count = (this.faults.get(fault) ?? 0) + 1
    this.faults.set(fault, count)
    // The first of a kind is worth a line; a viewer that tries for ever does not fill a disk.
    if (count === 1)
      this.options.log?.(`display: viewer ${viewer.id} closed: ${error.stack ?? error.message}`)
  }

  private find(id: string): Viewer | undefined {
    for (const viewer of this.viewers) if (viewer.introduced && viewer.id === id) return viewer
    return undefined
  }

  /* Updates. */

  /** Takes over what the guest drew. */
  private look(): void {
    if (!this.picture.update(this.surface, performance.now())) return
    for (const viewer of this.viewers) viewer.damage.follow(this.picture)
    this.wake()
  }

  /** Has the surface wake us, as long as somebody watches. */
  private listen(): void {
    if (this.waiting || this.closing || this.viewers.size === 0) return
    this.waiting = true
    this.surface.onSignal(this.surface.signalled, () => {
      this.waiting = false
      if (this.viewers.size === 0) return
      this.wake()
      this.listen()
    })
  }

  private pump(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    const now = performance.now()
    const ready: Viewer[] = []
    let next = Number.POSITIVE_INFINITY
    for (const viewer of this.viewers) {
      const at = viewer.ready(now)
      if (at === null) continue
      if (at <= now) ready.push(viewer)
      else next = Math.min(next, at)
    }
    if (ready.length > 0) {
      if (this.picture.update(this.surface, now)) {
        for (const viewer of this.viewers) viewer.damage.follow(this.picture)
      }
      const cursor = this.surface.cursor()
      if (cursor.image !== this.cursorImage) {
        this.cursorImage = cursor.image
        this.cursorShape = cursor.visible
          ? cropCursor(this.surface.cursorImage(), cursor.hotX, cursor.hotY)
          : invisible
      }
      const common = { cursor, shape: this.cursorShape, leds: this.surface.leds, name: this.name }
      for (const viewer of ready) {
        const steersPointer = this.router.lastPointer === viewer
        const sent = viewer.update(this.picture, { ...common, steersPointer }, now)
        // More may be due at once: the rest beyond a budget, or what follows a change of size.
        if (sent && !viewer.damage.dirty.empty) next = Math.min(next, viewer.ready(now) ?? next)
        else if (!viewer.damage.lossy.empty) next = Math.min(next, now + REST)
      }
    }
    if (next < Number.POSITIVE_INFINITY && !this.closing) {
      this.timer = setTimeout(() => this.pump(), Math.max(0, next - now))
    }
  }
}
