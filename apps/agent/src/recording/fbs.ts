/**
 * FBS 001.000, the format in which VNC sessions are kept (rfbproxy, TightVNC's players): the twelve bytes of its name,
 * then blocks: u32 length, that many bytes of what the server sent, zeros up to a multiple of 4, u32 milliseconds since
 * the beginning. Big-endian.
 */
const fbsName = 'FBS 001.000\n'

export function fbsHeader(): Buffer {
  return Buffer.from(fbsName, 'latin1')
}

export function fbsBlock(bytes: Uint8Array, milliseconds: number): Buffer {
  const padded = (bytes.length + 3) & ~3
  const block = Buffer.alloc(4 + padded + 4)
  block.writeUInt32BE(bytes.length, 0)
  block.set(bytes, 4)
  block.writeUInt32BE(Math.min(milliseconds, 0xffff_ffff) >>> 0, 4 + padded)
  return block
}
