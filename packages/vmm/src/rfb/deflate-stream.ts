import koffi from 'koffi'
import { ByteWriter } from './byte-writer.ts'

/**
 * A zlib stream that lives as long as its viewer and is flushed after every rectangle (RFC 6143, 7.7.6).
 *
 * It calls the zlib inside Node's own binary, whose functions Node exports for native addons and describes in the
 * zlib.h of its headers. Of node:zlib's public ways, the stream is asynchronous through a thread pool (a hop for
 * every rectangle), and the synchronous functions build a new state of 256 KiB for every call: 20 µs against 0.8.
 */
const zlib = koffi.load(null)
const zlibVersion: () => string = zlib.func('const char *zlibVersion()')
const deflateInit2: (
  stream: Uint8Array,
  level: number,
  method: number,
  windowBits: number,
  memLevel: number,
  strategy: number,
  version: string,
  size: number,
) => number = zlib.func(
  'int deflateInit2_(void *s, int level, int method, int windowBits, int memLevel, int strategy, const char *v, int size)',
)
const deflate: (stream: Uint8Array, flush: number) => number = zlib.func('int deflate(void *s, int flush)')
const deflateParams: (stream: Uint8Array, level: number, strategy: number) => number = zlib.func(
  'int deflateParams(void *s, int level, int strategy)',
)
const deflateEnd: (stream: Uint8Array) => number = zlib.func('int deflateEnd(void *s)')

/** struct z_stream on x86-64 (zlib.h): offsets in bytes. */
const Z_STREAM_BYTES = 112
const NEXT_IN = 0
const AVAIL_IN = 8
const NEXT_OUT = 24
const AVAIL_OUT = 32
const Z_OK = 0
const Z_BUF_ERROR = -5
const Z_SYNC_FLUSH = 2
const Z_DEFLATED = 8

/** Closes the native state of streams whose owner forgot them. */
const forgotten = new FinalizationRegistry<Uint8Array>((state) => deflateEnd(state))

export class DeflateStream {
  /** What the next `flush` compresses: the owner fills it. */
  readonly input = new ByteWriter(64 * 1024)
  // The state keeps its own address: the array must be off the JS heap, which one of this size is.
  private readonly state = new Uint8Array(new ArrayBuffer(Z_STREAM_BYTES))
  private readonly view = new DataView(this.state.buffer)
  private level: number
  private open = true
  private inputBytes: Uint8Array | null = null
  private inputAddress = 0n

  constructor(level: number) {
    this.level = level
    const result = deflateInit2(this.state, level, Z_DEFLATED, 15, 8, 0, zlibVersion(), Z_STREAM_BYTES)
    if (result !== Z_OK) throw new Error(`deflateInit2: ${result}`)
    forgotten.register(this, this.state, this)
  }

  /** Takes effect with the next flush; allowed at any time, the stream goes on. */
  setLevel(level: number, output: ByteWriter): void {
    if (level === this.level) return
    this.level = level
    // deflateParams compresses pending input first; after a sync flush there is none, but it may write a block.
    this.run(output, () => deflateParams(this.state, level, 0))
  }

  /** Appends the compressed `input`, complete up to its last byte, to `output` and empties `input`. */
  flush(output: ByteWriter): void {
    const { input } = this
    if (input.bytes !== this.inputBytes) {
      this.inputBytes = input.bytes
      this.inputAddress = koffi.address(input.bytes)
    }
    this.view.setBigUint64(NEXT_IN, this.inputAddress, true)
    this.view.setUint32(AVAIL_IN, input.length, true)
    this.run(output, () => deflate(this.state, Z_SYNC_FLUSH))
    input.length = 0
  }

  close(): void {
    if (!this.open) return
    this.open = false
    forgotten.unregister(this)
    deflateEnd(this.state)
  }

  /** Repeats a zlib call until it left room in the output, which means it wrote all it had. */
  private run(output: ByteWriter, call: () => number): void {
    if (!this.open) throw new Error('deflate stream used after close')
    for (;;) {
      // Deflate never grows its input by more than this (zlib's deflateBound); one round is the rule.
      const rest = this.view.getUint32(AVAIL_IN, true)
      output.reserve(rest + (rest >>> 8) + 64)
      const room = output.bytes.length - output.length
      const address: bigint = koffi.address(output.bytes)
      this.view.setBigUint64(NEXT_OUT, address + BigInt(output.length), true)
      this.view.setUint32(AVAIL_OUT, room, true)
      const result = call()
      const left = this.view.getUint32(AVAIL_OUT, true)
      output.length += room - left
      if (result !== Z_OK && result !== Z_BUF_ERROR) throw new Error(`deflate: ${result}`)
      if (left > 0) return
    }
  }
}
