/** The guest's side of the agent protocol, made by hand. */
import { VD_AGENT, VDP } from '../protocol.ts'

export function u32s(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value, true)
  return bytes
}

/** One message in one chunk, or cut into chunks of `pieceBytes`. */
export function message(type: number, data: Uint8Array, pieceBytes = 2048, port: number = VDP.CLIENT_PORT) {
  const whole = Buffer.concat([u32s(1, type, 0, 0, data.length), data])
  const chunks: Uint8Array[] = []
  for (let at = 0; at < whole.length; at += pieceBytes) {
    const piece = whole.subarray(at, at + pieceBytes)
    chunks.push(u32s(port, piece.length), piece)
  }
  return Buffer.concat(chunks)
}

/** Says what spice-vdagentd says first. `capabilities` are bit numbers. */
export const announce = (request: boolean, ...capabilities: number[]): Buffer =>
  message(
    VD_AGENT.ANNOUNCE_CAPABILITIES,
    u32s(
      request ? 1 : 0,
      capabilities.reduce((mask, bit) => mask | (1 << bit), 0),
    ),
  )

/** Puts what the host sent together again: [type, data]. */
export function messagesOf(bytes: Uint8Array): [number, Buffer][] {
  const all = Buffer.from(bytes)
  const pieces: Buffer[] = []
  for (let at = 0; at < all.length; ) {
    const length = all.readUInt32LE(at + 4)
    if (all.readUInt32LE(at) !== VDP.CLIENT_PORT || length > 2048) throw new Error('no chunk')
    pieces.push(all.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  const stream = Buffer.concat(pieces)
  const messages: [number, Buffer][] = []
  for (let at = 0; at < stream.length; ) {
    const length = stream.readUInt32LE(at + 16)
    messages.push([stream.readUInt32LE(at + 4), stream.subarray(at + 20, at + 20 + length)])
    at += 20 + length
  }
  return messages
}
