/** The driver's side of FUSE, built by hand: requests as bytes, answers as what they say. */
import { NativeBuffer } from '../../../sys/native-buffer.ts'
import { BODY, MESSAGE_BYTES, Message } from '../message.ts'
import { FUSE_ROOT_ID, IN_HEADER_BYTES, OPCODE } from '../protocol.ts'
import type { Session } from '../session.ts'

export interface Answer {
  /** 0, or an errno negated. */
  readonly error: number
  readonly body: DataView
  readonly bytes: Uint8Array
}

export interface Entry {
  readonly node: number
  readonly size: number
  readonly mode: number
  readonly links: number
  readonly owner: number
}

/** What arguments are made of: a number is a u32, a bigint a u64, a text ends with a zero (latin1). */
export type Field = number | bigint | string

export function encode(fields: readonly Field[]): Uint8Array {
  const parts = fields.map((field) => {
    if (typeof field === 'string') return Buffer.from(`${field}\0`, 'latin1')
    const bytes = Buffer.alloc(typeof field === 'bigint' ? 8 : 4)
    if (typeof field === 'bigint') bytes.writeBigInt64LE(field)
    else bytes.writeUInt32LE(field >>> 0)
    return bytes
  })
  return Buffer.concat(parts)
}

export function requestBytes(opcode: number, node: number, fields: readonly Field[]): Uint8Array {
  const rest = encode(fields)
  return Buffer.concat([encode([IN_HEADER_BYTES + rest.length, opcode, 77n, BigInt(node), 0, 0, 0, 0]), rest])
}

export const entryOf = (body: DataView, at = 0): Entry => ({
  node: Number(body.getBigUint64(at, true)),
  ...attributesOf(body, at + 40),
})

export const attributesOf = (body: DataView, at: number) => ({
  size: Number(body.getBigUint64(at + 8, true)),
  mode: body.getUint32(at + 60, true),
  links: body.getUint32(at + 64, true),
  owner: body.getUint32(at + 68, true),
})

export class FuseClient {
  readonly message = new Message(new ArrayBuffer(MESSAGE_BYTES), 0)
  /** Where reads and writes have their data. */
  readonly data = new NativeBuffer(1 << 20)
  readonly session: Session

  constructor(session: Session) {
    this.session = session
  }

  /** Mounts it. */
  start(): Answer {
    return this.ask(OPCODE.INIT, 0, [7, 31, 1 << 17, 0xffff_ffff, 0, ...new Array<number>(11).fill(0)])
  }

  ask(opcode: number, node: number, fields: readonly Field[], dataBytes = 0): Answer {
    const { message } = this
    const request = requestBytes(opcode, node, fields)
    message.request.set(request)
    message.requestBytes = request.length
    message.iovecs = dataBytes > 0 ? 1 : 0
    message.iov.set(0, this.data.address, dataBytes)
    this.session.serve(message)
    const bytes = message.answer.slice(0, message.answerBytes)
    const view = new DataView(bytes.buffer)
    return {
      error: bytes.length === 0 ? 0 : view.getInt32(4, true),
      bytes: bytes.subarray(BODY),
      body: new DataView(bytes.buffer, Math.min(BODY, bytes.length)),
    }
  }

  lookup(name: string, parent = FUSE_ROOT_ID): Entry | number {
    const { error, body } = this.ask(OPCODE.LOOKUP, parent, [name])
    return error === 0 ? entryOf(body) : error
  }

  /** The node at `path` of the folder. */
  walk(path: string): number {
    let node = FUSE_ROOT_ID
    for (const name of path.split('/')) {
      const found = this.lookup(name, node)
      if (typeof found === 'number') throw new Error(`${path}: errno ${-found}`)
      node = found.node
    }
    return node
  }

  open(node: number, flags: number): bigint | number {
    const { error, body } = this.ask(OPCODE.OPEN, node, [flags, 0])
    return error === 0 ? body.getBigUint64(0, true) : error
  }

  read(node: number, handle: bigint, offset: number, size: number): Buffer | number {
    this.data.bytes.fill(0xee, 0, size)
    const fields = [handle, BigInt(offset), size, 0, 0n, 0, 0]
    const { error } = this.ask(OPCODE.READ, node, fields, size)
    return error === 0 ? Buffer.from(this.data.bytes.slice(0, this.message.totalBytes - BODY)) : error
  }

  write(node: number, handle: bigint, offset: number, data: Uint8Array): number {
    this.data.bytes.set(data)
    const fields = [handle, BigInt(offset), data.length, 0, 0n, 0, 0]
    const { error, body } = this.ask(OPCODE.WRITE, node, fields, data.length)
    return error === 0 ? body.getUint32(0, true) : error
  }

  release(node: number, handle: bigint): void {
    this.ask(OPCODE.RELEASE, node, [handle, 0, 0, 0n])
  }

  /** All names of a folder, in pieces of `size` bytes. */
  list(node: number, size = 4096): string[] {
    const opened = this.ask(OPCODE.OPENDIR, node, [0, 0])
    if (opened.error !== 0) throw new Error(`errno ${-opened.error}`)
    const handle = opened.body.getBigUint64(0, true)
    const names: string[] = []
    for (let place = 0n; ; ) {
      const { error, body, bytes } = this.ask(OPCODE.READDIR, node, [handle, place, size, 0, 0n, 0, 0])
      if (error !== 0) throw new Error(`errno ${-error}`)
      if (bytes.length === 0) break
      for (let at = 0; at < bytes.length; ) {
        const length = body.getUint32(at + 16, true)
        place = body.getBigInt64(at + 8, true)
        names.push(Buffer.from(bytes.subarray(at + 24, at + 24 + length)).toString('latin1'))
        at += (24 + length + 7) & ~7
      }
    }
    this.ask(OPCODE.RELEASEDIR, node, [handle, 0, 0, 0n])
    return names
  }

  close(): void {
    this.session.reset()
    this.data.free()
  }
}
