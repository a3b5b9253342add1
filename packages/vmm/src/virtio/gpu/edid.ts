/**
 * The monitor as a guest sees it: an EDID 1.4 base block whose preferred mode is the size that is wanted, and a
 * CTA-861 extension with the large modes that the base block has no room for. (VESA E-EDID Standard, Release A2;
 * section numbers below are that document's.)
 */
const BLOCK = 128

/** Offered beside the preferred mode; each fits a standard timing (3.9): 8-pixel steps, 60 Hz, four aspects. */
const STANDARD: readonly (readonly [number, number])[] = [
  [1920, 1080],
  [1680, 1050],
  [1600, 900],
  [1440, 900],
  [1280, 1024],
  [1280, 800],
  [1280, 720],
  [1024, 768],
]
/** Detailed timings of the extension. */
const LARGE: readonly (readonly [number, number])[] = [
  [2560, 1440],
  [2560, 1600],
  [3440, 1440],
  [3840, 2160],
  [1920, 1200],
]

/** 3.10.2: the largest sizes a detailed timing can say; ours are below (surface limits). */
const REFRESH = 60
const DPI = 96

export function createEdid(width: number, height: number, serial: number): Uint8Array {
  const edid = new Uint8Array(2 * BLOCK)
  const view = new DataView(edid.buffer)
  // 3.3: header.
  edid.set([0, 255, 255, 255, 255, 255, 255, 0])
  // 3.4: manufacturer "HTH" in three times five bits, product, serial, made in week 1 of 2026.
  view.setUint16(8, (letter('H') << 10) | (letter('T') << 5) | letter('H'))
  view.setUint16(10, 1, true)
  view.setUint32(12, serial, true)
  edid[16] = 1
  edid[17] = 2026 - 1990
  // 3.5: version 1.4.
  edid[18] = 1
  edid[19] = 4
  // 3.6: digital, 8 bits a colour, DisplayPort; size in cm; gamma 2.2; sRGB, preferred timing is native, continuous.
  edid[20] = 0x80 | (2 << 4) | 5
  edid[21] = Math.min(255, Math.round(millimetres(width) / 10))
  edid[22] = Math.min(255, Math.round(millimetres(height) / 10))
  edid[23] = 120
  edid[24] = 0x07
  // 3.7: sRGB's primaries and white point.
  edid.set([0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54], 25)
  // 3.8: 640×480, 800×600 and 1024×768 at 60 Hz.
  edid[35] = 0x20 | 0x01
  edid[36] = 0x08
  for (const [i, [w, h]] of STANDARD.entries()) {
    edid[38 + i * 2] = w / 8 - 31
    edid[39 + i * 2] = (aspect(w, h) << 6) | (REFRESH - 60)
  }
  // 3.10: the preferred timing, the name, the range limits, and an empty descriptor.
  detailedTiming(edid, 54, width, height)
  edid.set([0, 0, 0, 0xfc, 0], 72)
  edid.set(text('Hearth'), 77)
  // Vertical 50–75 Hz, horizontal 30–160 kHz, clock up to 600 MHz, no secondary formula.
  edid.set([0, 0, 0, 0xfd, 0, 50, 75, 30, 160, 60, 1, 10, 32, 32, 32, 32, 32, 32], 90)
  edid.set([0, 0, 0, 0x10], 108)
  edid[126] = 1
  edid[127] = checksum(edid, 0)
  // CTA-861: revision 3, no data blocks, detailed timings from byte 4 on.
  edid.set([0x02, 0x03, 4, 0], BLOCK)
  for (const [i, [w, h]] of LARGE.entries()) detailedTiming(edid, BLOCK + 4 + i * 18, w, h)
  edid[2 * BLOCK - 1] = checksum(edid, BLOCK)
  return edid
}

/** 3.10.2, with the blanking of CVT's reduced version 1: 160 pixels, and lines for at least 460 µs. */
function detailedTiming(edid: Uint8Array, at: number, width: number, height: number): void {
  const hBlank = 160
  const hFront = 48
  const hSync = 32
  const vFront = 3
  const vSync = 6
  const vBlank = Math.max(vFront + vSync + 6, Math.ceil((height * 460e-6 * REFRESH) / (1 - 460e-6 * REFRESH)))
  const clock = Math.round(((width + hBlank) * (height + vBlank) * REFRESH) / 10_000)
  const widthMm = millimetres(width)
  const heightMm = millimetres(height)
  edid.set(
    [
      clock & 255,
      clock >> 8,
      width & 255,
      hBlank & 255,
      ((width >> 8) << 4) | (hBlank >> 8),
      height & 255,
      vBlank & 255,
      ((height >> 8) << 4) | (vBlank >> 8),
      hFront & 255,
      hSync & 255,
      ((vFront & 15) << 4) | (vSync & 15),
      ((hFront >> 8) << 6) | ((hSync >> 8) << 4) | ((vFront >> 4) << 2) | (vSync >> 4),
      widthMm & 255,
      heightMm & 255,
      ((widthMm >> 8) << 4) | (heightMm >> 8),
      0,
      0,
      // Digital separate sync, horizontal positive, vertical negative.
      0x1a,
    ],
    at,
  )
}

const letter = (char: string): number => char.charCodeAt(0) - 64
const millimetres = (pixels: number): number => Math.round((pixels * 25.4) / DPI)

/** 3.9: 16:10, 4:3, 5:4, 16:9. */
function aspect(width: number, height: number): number {
  if (width * 10 === height * 16) return 0
  if (width * 3 === height * 4) return 1
  if (width * 4 === height * 5) return 2
  return 3
}

/** 13 characters, ended by a line feed and filled with spaces. */
function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\n`.padEnd(13))
}

function checksum(edid: Uint8Array, start: number): number {
  let sum = 0
  for (let i = start; i < start + BLOCK - 1; i++) sum += edid[i]!
  return (256 - (sum & 255)) & 255
}
