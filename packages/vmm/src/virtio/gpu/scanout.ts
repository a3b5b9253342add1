import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { Output } from '../../display/outputs.ts'
import { CURSOR_SIZE } from '../../display/surface.ts'
import { clip, MAX_HEIGHT, MAX_WIDTH, type Rect } from '../../display/tiles.ts'
import type { PixelReader } from './resource.ts'

/** A scanout in a snapshot. */
export type ScanoutState = VirtioDeviceState<'gpu'>['scanouts'][number]

/** One scanout of the device: which rectangle of which picture its output shows, and the size its viewer wants. */
export class Scanout {
  readonly output: Output
  /** The resource shown, 0 for none. */
  resourceId = 0
  /** What display info and EDID prefer. */
  wantedWidth: number
  wantedHeight: number
  private source: PixelReader | null = null
  private rect: Rect = { x: 0, y: 0, width: 0, height: 0 }
  /** Another picture was chosen and not copied yet: a flush follows at once as a rule. */
  private stale = false

  constructor(output: Output, wantedWidth: number, wantedHeight: number) {
    this.output = output
    this.wantedWidth = wantedWidth
    this.wantedHeight = wantedHeight
    output.moved = () => {
      this.stale = this.source !== null
    }
    // Until the guest shows something: black in the size it will be asked for.
    output.resize(wantedWidth, wantedHeight)
    // There may be what a machine before this one drew.
    output.setCursor(null, 0, 0)
    output.blank()
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
    this.output.resize(rect.width, rect.height)
  }

  /** Shows nothing: a black picture of the size it has. */
  disable(): void {
    if (this.resourceId === 0) return
    this.resourceId = 0
    this.source = null
    this.stale = false
    this.output.blank()
    if (this.output.cursor().visible) this.output.setCursor(null, 0, 0)
  }

  /** Takes over a rectangle of the resource, which its width and height contain. */
  flush(damaged: Rect): void {
    const { source, output, rect } = this
    if (source === null) return
    const width = output.visibleWidth
    const part = this.stale
      ? clip({ x: 0, y: 0, width, height: rect.height }, width, rect.height)
      : clip(
          { x: damaged.x - rect.x, y: damaged.y - rect.y, width: damaged.width, height: damaged.height },
          width,
          rect.height,
        )
    this.stale = false
    if (part === null) return
    for (let row = part.y; row < part.y + part.height; row++) {
      source.readRow(rect.y + row, rect.x + part.x, part.width, output.pixels, output.at(part.x, row))
    }
    output.damage(part.x, part.y, part.width, part.height)
  }

  /** Shows a picture that was chosen without a flush after it. */
  settle(): void {
    if (this.stale) this.flush(this.rect)
  }

  save(): ScanoutState {
    const { wantedWidth, wantedHeight, resourceId, rect, source, output } = this
    const { visible, x, y, hotX, hotY } = output.cursor()
    const image = visible ? Buffer.from(output.cursorImage().buffer).toString('base64') : null
    const blob = source?.description
    return {
      ...{ wantedWidth, wantedHeight, cursor: { x, y, hotX, hotY, image } },
      ...(source === null ? {} : { shown: { resourceId, rect, ...(blob && { blob }) } }),
    }
  }

  /** Wish and cursor as they were; what it shows is the device's to say. */
  restore({ wantedWidth, wantedHeight, cursor }: ScanoutState): void {
    const { output } = this
    this.wantedWidth = Math.min(Math.max(wantedWidth, 1), MAX_WIDTH)
    this.wantedHeight = Math.min(Math.max(wantedHeight, 1), MAX_HEIGHT)
    output.resize(this.wantedWidth, this.wantedHeight)
    output.blank()
    const { image, hotX, hotY, x, y } = cursor
    if (image === null) return
    const last = CURSOR_SIZE - 1
    const pixels = new Uint32Array(new Uint8Array(Buffer.from(image, 'base64')).buffer)
    output.setCursor(pixels, Math.min(hotX, last), Math.min(hotY, last))
    output.moveCursor(x, y)
  }
}
