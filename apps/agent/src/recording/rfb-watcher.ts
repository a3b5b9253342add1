/**
 * The recorder as a viewer of a VM's screen: it may not type, and asks for the picture's changes a few times a second.
 * What the monitor sends is not looked into; noVNC reads it at playback, so the pixel format and the encodings are ones
 * noVNC has. The handshake is that of RFB 3.3, the shortest: its bytes stand for themselves in the file.
 */
import type { Duplex } from 'node:stream'
import { type ViewerIntroduction, viewerIntroductionPrefix } from '@hearth/shared/vmm-control'

const intervalMs = 100
const version = 'RFB 003.003\n'

/** RFC 6143, 7.4: 32 bits, depth 24, little-endian, true colour, red at bit 0: what a canvas takes as it is. */
const setPixelFormat = Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0])
/**
 * Tight, ZRLE, Hextile, CopyRect, Raw; desktop size, last rectangle; JPEG quality 7, compression 6. No cursor: what a viewer
 * draws itself would be missing, so the monitor has it in the picture.
 */
const encodings = [7, 16, 5, 1, 0, -223, -224, -25, -250]

/** Whole picture, or its changes. The server cuts the rectangle to its screen. */
function updateRequest(incremental: boolean): Buffer {
  return Buffer.from([3, incremental ? 1 : 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])
}

function setEncodings(): Buffer {
  const message = Buffer.alloc(4 + encodings.length * 4)
  message[0] = 2
  message.writeUInt16BE(encodings.length, 2)
  for (const [index, encoding] of encodings.entries()) message.writeInt32BE(encoding, 4 + index * 4)
  return message
}

/** `received` gets the server's bytes, beginning with its version. Ends with the stream. */
export function watchScreen(
  stream: Duplex,
  viewer: ViewerIntroduction,
  received: (bytes: Buffer) => void,
): void {
  let head = Buffer.alloc(0)
  stream.write(`${viewerIntroductionPrefix}${JSON.stringify(viewer)}\n`)
  stream.on('data', (chunk: Buffer) => {
    if (head.length >= version.length) {
      received(chunk)
      return
    }
    head = Buffer.concat([head, chunk])
    if (head.length < version.length) return
    // Players take the version from here; the server's own is the newest it knows.
    received(Buffer.concat([Buffer.from(version, 'latin1'), head.subarray(version.length)]))
    // Version, the shared flag, and what follows: with 3.3 nothing of it needs an answer first.
    stream.write(
      Buffer.concat([Buffer.from(version, 'latin1'), Buffer.of(1), setPixelFormat, setEncodings()]),
    )
    stream.write(updateRequest(false))
    const timer = setInterval(() => stream.write(updateRequest(true)), intervalMs)
    stream.once('close', () => clearInterval(timer))
  })
}
