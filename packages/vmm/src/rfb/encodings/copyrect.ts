import type { FrameWriter } from '../frame-writer.ts'
import { ENCODING } from '../protocol.ts'

/** RFC 6143, 7.7.2: the viewer has these pixels already, elsewhere on its screen. */
export function writeCopyRect(
  out: FrameWriter,
  x: number,
  y: number,
  width: number,
  height: number,
  fromX: number,
  fromY: number,
): void {
  out.rect(x, y, width, height, ENCODING.COPY_RECT)
  out.u16(fromX)
  out.u16(fromY)
}
