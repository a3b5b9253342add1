/** VIRTIO 1.2, section 5.10, Socket Device. */
export const HOST_CID = 2
/** Section 5.10.4: what a guest's own may be. */
export const FIRST_GUEST_CID = 3
export const LAST_GUEST_CID = 0xffff_fffe
/** Section 5.10.2. */
export const QUEUE = { RX: 0, TX: 1, EVENT: 2 } as const

/** Section 5.10.6, struct virtio_vsock_hdr, packed and little endian. */
export const HEADER_BYTES = 44
export const TYPE_STREAM = 1
export const OP = {
  REQUEST: 1,
  RESPONSE: 2,
  RST: 3,
  SHUTDOWN: 4,
  RW: 5,
  CREDIT_UPDATE: 6,
  CREDIT_REQUEST: 7,
} as const
/** Section 5.10.6.6: the sender will receive, or send, no more. */
export const SHUTDOWN = { RCV: 1, SEND: 2, BOTH: 3 } as const
/** Section 5.10.6.7: VIRTIO_VSOCK_EVENT_TRANSPORT_RESET, le32 id. */
export const EVENT_BYTES = 4
export const EVENT_TRANSPORT_RESET = 0

export interface VsockHeader {
  /** u64 on the wire; above 2^53 they lose low bits, and are nobody's. */
  readonly sourceCid: number
  readonly destinationCid: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly length: number
  readonly type: number
  readonly op: number
  readonly flags: number
  readonly bufferSize: number
  readonly forwarded: number
}

/** `bytes` has HEADER_BYTES. */
export function decodeHeader(bytes: Uint8Array): VsockHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  const u32 = (at: number): number => view.getUint32(at, true)
  return {
    sourceCid: u32(0) + u32(4) * 2 ** 32,
    destinationCid: u32(8) + u32(12) * 2 ** 32,
    sourcePort: u32(16),
    destinationPort: u32(20),
    length: u32(24),
    type: view.getUint16(28, true),
    op: view.getUint16(30, true),
    flags: u32(32),
    bufferSize: u32(36),
    forwarded: u32(40),
  }
}

export function encodeHeader(header: VsockHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true)
  u32(0, header.sourceCid)
  u32(8, header.destinationCid)
  u32(16, header.sourcePort)
  u32(20, header.destinationPort)
  u32(24, header.length)
  view.setUint16(28, header.type, true)
  view.setUint16(30, header.op, true)
  u32(32, header.flags)
  u32(36, header.bufferSize)
  u32(40, header.forwarded)
  return bytes
}
