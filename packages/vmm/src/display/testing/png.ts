import { crc32, deflateSync } from 'node:zlib'

/** A picture of 0x00RRGGBB pixels as a PNG file (ISO/IEC 15948), for people to look at. */
export function png(pixels: Uint32Array, width: number, height: number): Buffer {
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0, at = 0; y < height; y++) {
    // Filter type 0 begins each row.
    at++
    for (let x = 0; x < width; x++) {
      const pixel = pixels[y * width + x]!
      rows[at++] = pixel >>> 16
      rows[at++] = pixel >>> 8
      rows[at++] = pixel
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits a channel, colour type 2 (RGB), deflate, adaptive filters, no interlace.
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const result = Buffer.alloc(body.length + 8)
  result.writeUInt32BE(data.length, 0)
  body.copy(result, 4)
  result.writeUInt32BE(crc32(body), body.length + 4)
  return result
}
