import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import { CURSOR_SIZE, SURFACE_STRIDE, type Surface } from '../../display/surface.ts'
import { clip, MAX_HEIGHT, MAX_WIDTH, type Rect } from '../../display/tiles.ts'
import type { PixelReader } from './resource.ts'

/** A scanout in a snapshot. */
export type ScanoutState = VirtioDeviceState<'gpu'>['scanouts'][number]

/** One output of the device: which rectangle of which picture its surface shows, and the size its viewer wants. */
export class Scanout {
  readonly surface: Surface
  /** The resource shown, 0 for none. */
  resourceId = 0
  /** What display info and EDID prefer. */
  wantedWidth: number
  wantedHeight: number
  private source: PixelReader | null = null
  private rect: Rect = { x: 0, y: 0, width: 0, height: 0 }
  /** Another picture was chosen and not copied yet: a flush follows at once as a rule. */
  private stale = false

  constructor(surface: Surface, wantedWidth: number, wantedHeight: number) {
    this.surface = surface
    this.wantedWidth = wantedWidth
    this.wantedHeight = wantedHeight
    // Until the guest shows something: black in the size it will be asked for.
    surface.resize(wantedWidth, wantedHeight)
    // The surface may show what a machine before this one drew.
    if (surface.cursor().visible) surface.setCursor(null, 0, 0)
    surface.blank()
  }

  /** Largest rectangle that can be shown. */
  static fits(rect: Rect): boolean {
    return rect.width >= 1 && rect.height >= 1 && rect.width <= MAX_WIDTH && rect.height <= MAX_HEIGHT
  }

  show(resourceId: number, source: PixelReader, rect: Rect): void {
    this.resourceId = resourceId
    this.source = source
    this.rect = rect
    this.stale = true
    if (this.surface.width !== rect.width || this.surface.height !== rect.height) {
      this.surface.resize(rect.width, rect.height)
    }
  }

  /** Shows nothing: a black picture of the size it has. */
  disable(): void {
    if (this.resourceId === 0) return
    this.resourceId = 0
    this.source = null
    this.stale = false
    this.surface.blank()
    if (this.surface.cursor().visible) this.surface.setCursor(null, 0, 0)
  }

  /** Takes over a rectangle of the resource, which its width and height contain. */
  flush(damaged: Rect): void {
    const { source, surface, rect } = this
    if (source === null) return
    const part = this.stale
      ? { x: 0, y: 0, width: rect.width, height: rect.height }
      : clip(
          { x: damaged.x - rect.x, y: damaged.y - rect.y, width: damaged.width, height: damaged.height },
          rect.width,
          rect.height,
        )
    this.stale = false
    if (part === null) return
    for (let row = part.y; row < part.y + part.height; row++) {
      const to = row * SURFACE_STRIDE + part.x
      source.readRow(rect.y + row, rect.x + part.x, part.width, surface.pixels, to)
    }
    surface.damage(part.x, part.y, part.width, part.height)
  }

  /** Shows a picture that was chosen without a flush after it. */
  settle(): void {
    if (this.stale) this.flush(this.rect)
  }

  save(): ScanoutState {
    const { wantedWidth, wantedHeight, resourceId, rect, source, surface } = this
    const { visible, x, y, hotX, hotY } = surface.cursor()
    const image = visible ? Buffer.from(surface.cursorImage().buffer).toString('base64') : null
    const blob = source?.description
    return {
      ...{ wantedWidth, wantedHeight, cursor: { x, y, hotX, hotY, image } },
      ...(source === null ? {} : { shown: { resourceId, rect, ...(blob && { blob }) } }),
    }
  }

  /** Wish and cursor as they were; what it shows is the device's to say. */
  restore({ wantedWidth, wantedHeight, cursor }: ScanoutState): void {
    const { surface } = this
    this.wantedWidth = Math.min(Math.max(wantedWidth, 1), MAX_WIDTH)
    this.wantedHeight = Math.min(Math.max(wantedHeight, 1), MAX_HEIGHT)
    surface.resize(this.wantedWidth, this.wantedHeight)
    surface.blank()
    const { image, hotX, hotY, x, y } = cursor
    if (image === null) return
    const last = CURSOR_SIZE - 1
    const pixels = new Uint32Array(new Uint8Array(Buffer.from(image, 'base64')).buffer)
    surface.setCursor(pixels, Math.min(hotX, last), Math.min(hotY, last))
    surface.moveCursor(x, y)
  }
}
