/** One request and its answer, in memory of ours: fields are read from here and never from the guest's memory again. */
import { IovecList } from '../chain.ts'
import { IN_HEADER_BYTES, OUT_HEADER, OUT_HEADER_BYTES } from './protocol.ts'

/** The largest is a symbolic link's making: a name and a target of 4096 bytes. */
export const REQUEST_BYTES = 8192
/** The largest is a piece of a folder's list. */
export const ANSWER_BYTES = 32_768
/** Pieces of guest memory that one transfer may have. */
export const MAX_IOVECS = 512
const IOVEC_BYTES = 16
/** Words before the three parts, see WORD. */
const HEAD_BYTES = 64
export const MESSAGE_BYTES = HEAD_BYTES + REQUEST_BYTES + ANSWER_BYTES + MAX_IOVECS * IOVEC_BYTES

const WORD = { requestBytes: 0, iovecs: 1, answerBytes: 2 } as const

export class Message {
  readonly request: Uint8Array
  readonly answer: Uint8Array
  /** The guest's memory that a read fills, behind the answer's header, or that a write takes. */
  readonly iov: IovecList
  private readonly words: Int32Array
  private readonly input: DataView
  readonly output: DataView

  /** Over `MESSAGE_BYTES` bytes of `memory`, which other threads may have as well. */
  constructor(memory: ArrayBuffer, offset: number) {
    this.words = new Int32Array(memory, offset, HEAD_BYTES / 4)
    const request = offset + HEAD_BYTES
    const answer = request + REQUEST_BYTES
    this.request = new Uint8Array(memory, request, REQUEST_BYTES)
    this.input = new DataView(memory, request, REQUEST_BYTES)
    this.answer = new Uint8Array(memory, answer, ANSWER_BYTES)
    this.output = new DataView(memory, answer, ANSWER_BYTES)
    const words = new Uint32Array(memory, answer + ANSWER_BYTES, MAX_IOVECS * 4)
    this.iov = new IovecList(MAX_IOVECS, words)
  }

  get requestBytes(): number {
    return this.words[WORD.requestBytes]!
  }

  set requestBytes(bytes: number) {
    this.words[WORD.requestBytes] = bytes
  }

  get iovecs(): number {
    return this.words[WORD.iovecs]!
  }

  set iovecs(count: number) {
    this.words[WORD.iovecs] = count
  }

  /** Of `answer`; 0 when the request has none. What a read put into guest memory is not among them. */
  get answerBytes(): number {
    return this.words[WORD.answerBytes]!
  }

  set answerBytes(bytes: number) {
    this.words[WORD.answerBytes] = bytes
  }

  /** The header's length: what the driver is told was written. */
  get totalBytes(): number {
    return this.answerBytes === 0 ? 0 : this.output.getUint32(OUT_HEADER.length, true)
  }

  /** Bytes of arguments behind the header. */
  get argumentBytes(): number {
    return this.requestBytes - IN_HEADER_BYTES
  }

  headerU32(at: number): number {
    return this.input.getUint32(at, true)
  }

  headerU64(at: number): number {
    return u64(this.input, at)
  }

  /** Arguments; the caller has checked `argumentBytes`. */
  u32(at: number): number {
    return this.input.getUint32(IN_HEADER_BYTES + at, true)
  }

  /** Inexact from 2^53 on, where it is no node, no handle and no offset that can be served. */
  u64(at: number): number {
    return u64(this.input, IN_HEADER_BYTES + at)
  }

  i64(at: number): bigint {
    return this.input.getBigInt64(IN_HEADER_BYTES + at, true)
  }

  /** The bytes from `at` to the next zero, one character each; undefined without one. */
  text(at: number): string | undefined {
    const start = IN_HEADER_BYTES + at
    if (start >= this.requestBytes) return undefined
    const end = this.request.indexOf(0, start)
    if (end < 0 || end >= this.requestBytes) return undefined
    return Buffer.from(this.request.buffer, this.request.byteOffset + start, end - start).toString('latin1')
  }
}

const u64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32

/** Where an answer's body begins. */
export const BODY = OUT_HEADER_BYTES

export function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}
