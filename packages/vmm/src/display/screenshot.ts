/** A small picture of the screen for lists: scaled down by averaging, as JPEG. */
import type { VmmScreenshot } from '@hearth/shared/vmm-control'
import { createJpegEncoder } from '../rfb/encodings/jpeg.ts'
import type { JpegEncoder } from '../rfb/encodings/tight.ts'
import type { Picture } from './picture.ts'

/** Of createJpegEncoder's 0 to 9: text stays readable, a thumbnail takes some 10 kB. */
const QUALITY = 7
export const MAX_SCREENSHOT_WIDTH = 1920

let encoder: JpegEncoder | undefined

/** `maxWidth` in pixels; a picture that is smaller keeps its size. */
export function screenshot(picture: Picture, maxWidth: number): VmmScreenshot {
  const width = Math.max(1, Math.min(picture.width, Math.floor(maxWidth), MAX_SCREENSHOT_WIDTH))
  const height = Math.max(1, Math.round((picture.height * width) / Math.max(1, picture.width)))
  const pixels = scaleDown(picture, width, height)
  encoder ??= createJpegEncoder(QUALITY)
  const bytes = encoder({ pixels, stride: width }, 0, 0, width, height)
  return { width, height, version: pictureVersion(picture), jpeg: Buffer.from(bytes).toString('base64') }
}

/** Equal for equal pictures of one size; made of the tiles' digests, so no pixel is read for it. */
export function pictureVersion(picture: Picture): string {
  const { digestLow, digestHigh, width, height } = picture
  let low = 0
  let high = 0
  for (let tile = 0; tile < digestLow.length; tile++) {
    low = (Math.imul(low, 31) + digestLow[tile]!) | 0
    high = (Math.imul(high, 37) + digestHigh[tile]!) | 0
  }
  return `${width}x${height}-${(low >>> 0).toString(36)}${(high >>> 0).toString(36)}`
}

/** Every pixel of the result is the mean of those it stands for. */
function scaleDown(picture: Picture, width: number, height: number): Uint32Array {
  const { pixels, stride } = picture
  const result = new Uint32Array(width * height)
  for (let y = 0; y < height; y++) {
    const top = Math.floor((y * picture.height) / height)
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * picture.height) / height))
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * picture.width) / width)
      const right = Math.max(left + 1, Math.floor(((x + 1) * picture.width) / width))
      let red = 0
      let green = 0
      let blue = 0
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          const pixel = pixels[row * stride + column]!
          red += pixel >>> 16
          green += (pixel >>> 8) & 0xff
          blue += pixel & 0xff
        }
      }
      const count = (bottom - top) * (right - left)
      result[y * width + x] =
        (Math.round(red / count) << 16) | (Math.round(green / count) << 8) | Math.round(blue / count)
    }
  }
  return result
}
