import { ByteWriter } from './byte-writer.ts'
import { SERVER_MESSAGE } from './protocol.ts'

/** What encoders append rectangles to: one FramebufferUpdate after another, counted by itself. */
export class FrameWriter extends ByteWriter {
  private countAt = -1
  rectangles = 0

  get open(): boolean {
    return this.countAt >= 0
  }

  /** RFC 6143, 7.6.1. The number of rectangles is filled in by `end`. */
  begin(): void {
    this.u8(SERVER_MESSAGE.FRAMEBUFFER_UPDATE)
    this.u8(0)
    this.countAt = this.length
    this.u16(0)
    this.rectangles = 0
  }

  rect(x: number, y: number, width: number, height: number, encoding: number): void {
    this.u16(x)
    this.u16(y)
    this.u16(width)
    this.u16(height)
    this.u32(encoding)
    this.rectangles++
  }

  /** Completes the update; one without rectangles is taken back, since it says nothing. False then. */
  end(): boolean {
    const at = this.countAt
    this.countAt = -1
    if (this.rectangles === 0) {
      this.length = at - 2
      return false
    }
    this.patchU16(at, this.rectangles)
    return true
  }
}
