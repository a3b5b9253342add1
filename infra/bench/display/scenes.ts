/**
 * Guest screens of 1920 × 1080, made by our own code and the same every time. A scene paints its frames into one
 * picture and says which rectangles changed: what a guest's driver would tell.
 */
export const WIDTH = 1920
export const HEIGHT = 1080

export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Scene {
  readonly name: string
  readonly framesPerSecond: number
  /** Paints the first picture. */
  begin(pixels: Uint32Array): void
  /** Paints frame `index`, from 1 on, over the one before. */
  paint(pixels: Uint32Array, index: number): readonly Rect[]
}

/** xorshift32: the same noise on every machine. */
function noise(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

function fill(pixels: Uint32Array, { x, y, width, height }: Rect, colour: number): void {
  for (let row = y; row < y + height; row++) pixels.fill(colour, row * WIDTH + x, row * WIDTH + x + width)
}

const CELL = { width: 8, height: 16 } as const
/** 95 shapes of 8 × 16 that look like a bitmap font to an encoder: strokes of one colour, mostly background. */
const glyphs: readonly Uint8Array[] = Array.from({ length: 95 }, (_, index) => {
  const next = noise(index * 7919 + 17)
  const rows = new Uint8Array(CELL.height)
  const [left, right] = [1 << (1 + (next() % 2)), 1 << (5 + (next() % 2))]
  for (let row = 3; row < 13; row++) {
    rows[row] = (next() % 3 > 0 ? left : 0) | (next() % 3 > 0 ? right : 0)
    if (next() % 5 === 0) rows[row] = 0x7c
  }
  return rows
})

function text(pixels: Uint32Array, x: number, y: number, line: string, ink: number, paper: number): void {
  for (let i = 0; i < line.length; i++) {
    const glyph = glyphs[(line.charCodeAt(i) - 32) % 95]!
    for (let row = 0; row < CELL.height; row++) {
      const at = (y + row) * WIDTH + x + i * CELL.width
      for (let bit = 0; bit < CELL.width; bit++) pixels[at + bit] = glyph[row]! & (1 << bit) ? ink : paper
    }
  }
}

/** A line as a compiler or a log prints it; some end early. */
function words(next: () => number, columns: number): string {
  let line = ''
  const length = next() % 4 === 0 ? next() % columns : columns - (next() % 20)
  while (line.length < length)
    line += `${Array.from({ length: 2 + (next() % 8) }, () => String.fromCharCode(97 + (next() % 26))).join('')} `
  return line.slice(0, length).padEnd(columns)
}

/** A smooth picture with some grain, as photographs and backgrounds are. */
function wallpaper(pixels: Uint32Array): void {
  const next = noise(4711)
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const glow = Math.max(0, 1 - Math.hypot(x / WIDTH - 0.3, y / HEIGHT - 0.8))
      const grain = next() & 3
      pixels[y * WIDTH + x] =
        ((Math.round(30 + 140 * glow) + grain) << 16) |
        ((Math.round(40 + 80 * glow) + grain) << 8) |
        (Math.round(90 - 40 * glow) + grain)
    }
}

function window(pixels: Uint32Array, x: number, y: number, width: number, height: number): void {
  fill(pixels, { x, y, width, height }, 0xf4f4f2)
  fill(pixels, { x, y, width, height: 28 }, 0x33383f)
  const next = noise(99)
  for (let line = 0; line < Math.floor((height - 48) / CELL.height); line++)
    text(
      pixels,
      x + 12,
      y + 38 + line * CELL.height,
      words(next, Math.floor((width - 24) / CELL.width)),
      0x202428,
      0xf4f4f2,
    )
}

const scrolling = (): Scene => {
  const next = noise(1)
  const [ink, paper] = [0xd8d8d8, 0x101418]
  const columns = WIDTH / CELL.width
  const rows = Math.floor(HEIGHT / CELL.height)
  return {
    name: 'text scrolling',
    framesPerSecond: 30,
    begin(pixels) {
      pixels.fill(paper)
      for (let row = 0; row < rows; row++)
        text(pixels, 0, row * CELL.height, words(next, columns), ink, paper)
    },
    paint(pixels) {
      pixels.copyWithin(0, CELL.height * WIDTH, rows * CELL.height * WIDTH)
      text(pixels, 0, (rows - 1) * CELL.height, words(next, columns), ink, paper)
      return [{ x: 0, y: 0, width: WIDTH, height: rows * CELL.height }]
    },
  }
}

const dragging = (): Scene => {
  const size = { width: 900, height: 620 }
  const back = new Uint32Array(WIDTH * HEIGHT)
  const front = new Uint32Array(WIDTH * HEIGHT)
  const place = (index: number): { x: number; y: number } => ({
    x: Math.round(480 + 420 * Math.sin(index / 37)),
    y: Math.round(220 + 190 * Math.sin(index / 23)),
  })
  const copy = (pixels: Uint32Array, from: Uint32Array, sx: number, sy: number, rect: Rect): void => {
    for (let row = 0; row < rect.height; row++) {
      const source = (sy + row) * WIDTH + sx
      pixels.set(from.subarray(source, source + rect.width), (rect.y + row) * WIDTH + rect.x)
    }
  }
  return {
    name: 'window drag',
    framesPerSecond: 60,
    begin(pixels) {
      wallpaper(back)
      window(front, 0, 0, size.width, size.height)
      pixels.set(back)
      copy(pixels, front, 0, 0, { ...place(0), ...size })
    },
    paint(pixels, index) {
      const before = { ...place(index - 1), ...size }
      const now = { ...place(index), ...size }
      copy(pixels, back, before.x, before.y, before)
      copy(pixels, front, 0, 0, now)
      const x = Math.min(before.x, now.x)
      const y = Math.min(before.y, now.y)
      return [
        {
          ...{ x, y },
          width: Math.max(before.x, now.x) + size.width - x,
          height: Math.max(before.y, now.y) + size.height - y,
        },
      ]
    },
  }
}

const video = (): Scene => {
  const wave = Int16Array.from({ length: 4096 }, (_, i) => Math.round(60 * Math.sin((i * Math.PI) / 256)))
  const next = noise(5)
  const grain = Uint8Array.from({ length: 65_536 }, () => next() & 7)
  const paint = (pixels: Uint32Array, index: number): void => {
    for (let y = 0; y < HEIGHT; y++) {
      const row = y * WIDTH
      const offset = (y * 131 + index * 977) & 0xffff
      const down = wave[(y + index * 5) & 4095]!
      for (let x = 0; x < WIDTH; x++) {
        const value = 128 + down + wave[(x * 2 - index * 7 + down) & 4095]! + grain[(offset + x) & 0xffff]!
        const level = Math.max(0, Math.min(255, value))
        pixels[row + x] = (level << 16) | ((255 - (level >> 1)) << 8) | ((level >> 1) + 60)
      }
    }
  }
  return {
    name: 'video',
    framesPerSecond: 24,
    begin: (pixels) => paint(pixels, 0),
    paint(pixels, index) {
      paint(pixels, index)
      return [{ x: 0, y: 0, width: WIDTH, height: HEIGHT }]
    },
  }
}

const idle = (): Scene => ({
  name: 'idle desktop',
  framesPerSecond: 2,
  begin(pixels) {
    wallpaper(pixels)
    window(pixels, 300, 160, 900, 620)
    fill(pixels, { x: 0, y: HEIGHT - 36, width: WIDTH, height: 36 }, 0x22262b)
  },
  paint(pixels, index) {
    // A caret that blinks, and a clock each second.
    const caret = { x: 520, y: 410, width: 2, height: 16 }
    fill(pixels, caret, index % 2 === 0 ? 0xf4f4f2 : 0x202428)
    if (index % 2 === 1) return [caret]
    const clock = String(10_000_000 + index)
    text(pixels, WIDTH - 100, HEIGHT - 26, clock, 0xe0e0e0, 0x22262b)
    return [caret, { x: WIDTH - 100, y: HEIGHT - 26, width: clock.length * CELL.width, height: CELL.height }]
  },
})

export const scenes: readonly (() => Scene)[] = [scrolling, dragging, video, idle]
