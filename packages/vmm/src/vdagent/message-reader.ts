import {
  CHUNK_HEADER_BYTES,
  MAX_CLIPBOARD_BYTES,
  MESSAGE_HEADER_BYTES,
  VD_AGENT_PROTOCOL,
  VDP,
} from './protocol.ts'

/** The guest sent what is no message of the protocol; nothing more can be read until it opens its port anew. */
export class VdAgentProtocolError extends Error {}

/** Everything of a clipboard message beside its text. */
const MAX_DATA = MAX_CLIPBOARD_BYTES + 64

export interface VdAgentMessage {
  readonly type: number
  /** The reader's until the next message. Null: longer than anything we take; it was passed over. */
  readonly data: Uint8Array | null
}

/** One port's message under way. */
interface Assembly {
  readonly header: Uint8Array
  headerBytes: number
  type: number
  size: number
  data: Uint8Array | null
  received: number
}

/**
 * Cuts the guest's byte stream into messages: chunks of any size, each of one of two ports, whose messages are put
 * together apart from each other. Keeps at most two messages of `MAX_DATA` bytes, whatever comes.
 */
export class VdAgentReader {
  private readonly ports = new Map<number, Assembly>()
  private readonly chunkHeader = new Uint8Array(CHUNK_HEADER_BYTES)
  private chunkHeaderBytes = 0
  private chunkLeft = 0
  private port = 0
  private readonly received: (message: VdAgentMessage) => void

  constructor(received: (message: VdAgentMessage) => void) {
    this.received = received
  }

  /** Throws VdAgentProtocolError. */
  append(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) {
      if (this.chunkLeft === 0) {
        at += this.takeChunkHeader(bytes.subarray(at))
        continue
      }
      const piece = bytes.subarray(at, at + this.chunkLeft)
      this.chunkLeft -= piece.length
      at += piece.length
      this.takeData(piece)
    }
  }

  /** Forgets what came so far: the guest's program is another one. */
  reset(): void {
    this.ports.clear()
    this.chunkHeaderBytes = 0
    this.chunkLeft = 0
  }

  private takeChunkHeader(bytes: Uint8Array): number {
    const piece = bytes.subarray(0, CHUNK_HEADER_BYTES - this.chunkHeaderBytes)
    this.chunkHeader.set(piece, this.chunkHeaderBytes)
    this.chunkHeaderBytes += piece.length
    if (this.chunkHeaderBytes === CHUNK_HEADER_BYTES) {
      this.chunkHeaderBytes = 0
      const view = new DataView(this.chunkHeader.buffer)
      this.port = view.getUint32(0, true)
      this.chunkLeft = view.getUint32(4, true)
      if (this.port !== VDP.CLIENT_PORT && this.port !== VDP.SERVER_PORT)
        throw new VdAgentProtocolError(`a chunk of port ${this.port}`)
    }
    return piece.length
  }

  private takeData(piece: Uint8Array): void {
    let assembly = this.ports.get(this.port)
    if (assembly === undefined) {
      const header = new Uint8Array(MESSAGE_HEADER_BYTES)
      assembly = { header, headerBytes: 0, type: 0, size: 0, data: null, received: 0 }
      this.ports.set(this.port, assembly)
    }
    for (let at = 0; at < piece.length; ) {
      if (assembly.headerBytes < MESSAGE_HEADER_BYTES) {
        const part = piece.subarray(at, at + MESSAGE_HEADER_BYTES - assembly.headerBytes)
        assembly.header.set(part, assembly.headerBytes)
        assembly.headerBytes += part.length
        at += part.length
        if (assembly.headerBytes < MESSAGE_HEADER_BYTES) return
        begin(assembly)
      } else {
        const part = piece.subarray(at, at + assembly.size - assembly.received)
        assembly.data?.set(part, assembly.received)
        assembly.received += part.length
        at += part.length
      }
      if (assembly.received === assembly.size) {
        assembly.headerBytes = 0
        const { type, data } = assembly
        assembly.data = null
        this.received({ type, data })
      }
    }
  }
}

function begin(assembly: Assembly): void {
  const view = new DataView(assembly.header.buffer)
  const protocol = view.getUint32(0, true)
  if (protocol !== VD_AGENT_PROTOCOL) throw new VdAgentProtocolError(`protocol ${protocol}`)
  assembly.type = view.getUint32(4, true)
  assembly.size = view.getUint32(16, true)
  assembly.received = 0
  assembly.data = assembly.size > MAX_DATA ? null : new Uint8Array(assembly.size)
}
