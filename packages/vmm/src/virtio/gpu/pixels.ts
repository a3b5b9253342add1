import type { PixelLayout } from './protocol.ts'

/**
 * Converts `count` pixels of 4 bytes in `layout` to 0xAARRGGBB (alpha 255 where the format has none). `source` is
 * read from byte `from` on.
 */
export function convertPixels(
  layout: PixelLayout,
  source: Uint8Array,
  from: number,
  count: number,
  target: Uint32Array,
  to: number,
): void {
  const { red, green, blue, alpha } = layout
  for (let i = 0, at = from; i < count; i++, at += 4) {
    const a = alpha < 0 ? 255 : source[at + alpha]!
    target[to + i] = (a << 24) | (source[at + red]! << 16) | (source[at + green]! << 8) | source[at + blue]!
  }
}

/** Whether memory in this layout is 0x__RRGGBB as it lies: then rows are copied whole. */
export function isNative(layout: PixelLayout): boolean {
  return layout.blue === 0 && layout.green === 1 && layout.red === 2
}
