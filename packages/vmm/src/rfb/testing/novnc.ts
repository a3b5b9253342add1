/**
 * noVNC's own decoders as an independent witness for our encoders. They want a socket with a receive queue, which
 * is noVNC's own, and a display, which here is a plain picture: everything they draw lands in `pixels`.
 */
interface NovncSocket {
  _allocateBuffers(): void
  _recvMessage(event: { data: ArrayBuffer }): void
  rQlen(): number
  rQshift16(): number
  rQshift32(): number
}

interface NovncDecoder {
  decodeRect(
    x: number,
    y: number,
    width: number,
    height: number,
    sock: NovncSocket,
    display: NovncPicture,
    depth: number,
  ): boolean
}

// noVNC's logger takes the console from the browser's window; its decoders need nothing else of a browser.
Object.assign(globalThis, { window: { console } })

const core = new URL('.', import.meta.resolve('@novnc/novnc'))

async function defaultOf<T>(path: string): Promise<new () => T> {
  const module = (await import(new URL(path, core).href)) as { default: new () => T }
  return module.default
}

/** What noVNC's Display draws on, as 0x00RRGGBB. */
export class NovncPicture {
  readonly width: number
  readonly height: number
  readonly pixels: Uint32Array
  /** JPEG files that came, which this picture does not decode. */
  readonly images: { x: number; y: number; width: number; height: number; file: Uint8Array }[] = []

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.pixels = new Uint32Array(width * height)
  }

  blitImage(x: number, y: number, width: number, height: number, rgbx: Uint8Array, offset: number): void {
    this.check(x, y, width, height)
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const at = offset + (row * width + column) * 4
        const pixel = (rgbx[at]! << 16) | (rgbx[at + 1]! << 8) | rgbx[at + 2]!
        this.pixels[(y + row) * this.width + x + column] = pixel
      }
    }
  }

  fillRect(x: number, y: number, width: number, height: number, colour: ArrayLike<number>): void {
    this.check(x, y, width, height)
    const pixel = (colour[0]! << 16) | (colour[1]! << 8) | colour[2]!
    for (let row = y; row < y + height; row++) {
      this.pixels.fill(pixel, row * this.width + x, row * this.width + x + width)
    }
  }

  copyImage(fromX: number, fromY: number, x: number, y: number, width: number, height: number): void {
    this.check(fromX, fromY, width, height)
    this.check(x, y, width, height)
    const before = this.pixels.slice()
    for (let row = 0; row < height; row++) {
      const from = (fromY + row) * this.width + fromX
      this.pixels.set(before.subarray(from, from + width), (y + row) * this.width + x)
    }
  }

  imageRect(x: number, y: number, width: number, height: number, _mime: string, file: Uint8Array): void {
    this.check(x, y, width, height)
    this.images.push({ x, y, width, height, file: file.slice() })
  }

  private check(x: number, y: number, width: number, height: number): void {
    if (x < 0 || y < 0 || x + width > this.width || y + height > this.height) {
      throw new RangeError(`drawn outside the picture: ${x},${y} ${width}×${height}`)
    }
  }
}

/** One connection's worth of decoders: they carry zlib state on from rectangle to rectangle, as ours do. */
export class NovncClient {
  picture: NovncPicture
  private readonly socket: NovncSocket
  private readonly decoders: Map<number, NovncDecoder>

  private constructor(picture: NovncPicture, socket: NovncSocket, decoders: Map<number, NovncDecoder>) {
    this.picture = picture
    this.socket = socket
    this.decoders = decoders
  }

  static async create(width: number, height: number): Promise<NovncClient> {
    const Socket = await defaultOf<NovncSocket>('websock.js')
    const socket = new Socket()
    socket._allocateBuffers()
    const decoders = new Map<number, NovncDecoder>()
    for (const [number, name] of [
      [0, 'raw'],
      [1, 'copyrect'],
      [5, 'hextile'],
      [7, 'tight'],
      [16, 'zrle'],
    ] as const) {
      const Decoder = await defaultOf<NovncDecoder>(`decoders/${name}.js`)
      decoders.set(number, new Decoder())
    }
    return new NovncClient(new NovncPicture(width, height), socket, decoders)
  }

  /** The screen's new size: the decoders' state goes on, what was shown does not. */
  resize(width: number, height: number): NovncPicture {
    this.picture = new NovncPicture(width, height)
    return this.picture
  }

  /** Decodes the rectangles of an update, its header left out; throws when bytes are missing or left over. */
  decode(rectangles: Uint8Array): { count: number; encodings: Set<number> } {
    const { socket } = this
    socket._recvMessage({ data: new Uint8Array(rectangles).buffer })
    const encodings = new Set<number>()
    let count = 0
    while (socket.rQlen() > 0) {
      const x = socket.rQshift16()
      const y = socket.rQshift16()
      const width = socket.rQshift16()
      const height = socket.rQshift16()
      const encoding = socket.rQshift32() | 0
      const decoder = this.decoders.get(encoding)
      if (decoder === undefined) throw new Error(`no decoder for encoding ${encoding}`)
      if (!decoder.decodeRect(x, y, width, height, socket, this.picture, 24)) {
        throw new Error(`rectangle ${count}, encoding ${encoding}, wants more bytes than came`)
      }
      encodings.add(encoding)
      count++
    }
    return { count, encodings }
  }
}

/** What noVNC asks for with SetPixelFormat: 32 bits, little endian, red lowest. */
export const novncPixelFormatFields = {
  bitsPerPixel: 32,
  depth: 24,
  bigEndian: false,
  trueColour: true,
  redMax: 255,
  greenMax: 255,
  blueMax: 255,
  redShift: 0,
  greenShift: 8,
  blueShift: 16,
} as const
