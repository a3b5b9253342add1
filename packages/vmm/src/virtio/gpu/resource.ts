import type { Backing } from './backing.ts'
import { convertPixels, isNative } from './pixels.ts'
import { BYTES_PER_PIXEL, FORMAT, type PixelLayout } from './protocol.ts'

/** Where a rectangle of a picture is read from: pixels in 0xXXRRGGBB go row by row to a surface or a cursor. */
export interface PixelReader {
  /** How a blob's picture lies in it; a 2D resource needs no description. */
  readonly description?: BlobDescription
  /** Reads `count` pixels of `row` from `column` on. The caller checked the range. */
  readRow(row: number, column: number, count: number, target: Uint32Array, to: number): void
}

/** A 2D resource (VIRTIO 1.2, 5.7.6.8): the host's copy of a picture, filled by transfers from guest pages. */
export class Resource2d implements PixelReader {
  readonly kind = '2d'
  readonly id: number
  readonly width: number
  readonly height: number
  readonly bytes: number
  backing: Backing | null = null
  /** One of FORMAT's. */
  readonly format: number
  /** Rows of `width` pixels in that format. */
  readonly pixels: Uint8Array<ArrayBuffer>
  private readonly layout: PixelLayout
  private readonly words: Uint32Array

  constructor(id: number, format: number, width: number, height: number) {
    this.id = id
    this.format = format
    this.layout = FORMAT[format]!
    this.width = width
    this.height = height
    this.bytes = width * height * BYTES_PER_PIXEL
    this.pixels = new Uint8Array(new ArrayBuffer(this.bytes))
    this.words = new Uint32Array(this.pixels.buffer)
  }

  /** TRANSFER_TO_HOST_2D: `offset` is where the rectangle's first pixel lies in the backing. False: beyond its end. */
  transfer(x: number, y: number, width: number, height: number, offset: number): boolean {
    const { backing } = this
    if (backing === null) return false
    const stride = this.width * BYTES_PER_PIXEL
    const row = width * BYTES_PER_PIXEL
    if (offset + stride * (height - 1) + row > backing.bytes) return false
    const first = y * stride + x * BYTES_PER_PIXEL
    if (width === this.width) {
      backing.copy(offset, stride * height, this.pixels, first)
      return true
    }
    for (let line = 0; line < height; line++) {
      backing.copy(offset + line * stride, row, this.pixels, first + line * stride)
    }
    return true
  }

  readRow(row: number, column: number, count: number, target: Uint32Array, to: number): void {
    const from = row * this.width + column
    if (isNative(this.layout)) target.set(this.words.subarray(from, from + count), to)
    else convertPixels(this.layout, this.pixels, from * BYTES_PER_PIXEL, count, target, to)
  }
}

/** A blob resource in the guest's own pages (5.7.6.8, VIRTIO_GPU_BLOB_MEM_GUEST): nothing is copied until shown. */
export class BlobResource {
  readonly kind = 'blob'
  readonly id: number
  /** Of host memory: none. */
  readonly bytes = 0
  readonly size: number
  backing: Backing | null = null

  constructor(id: number, size: number) {
    this.id = id
    this.size = size
  }
}

/** What SET_SCANOUT_BLOB says of the picture in a blob: `format` is one of FORMAT's, stride and offset are bytes. */
export interface BlobDescription {
  readonly format: number
  readonly width: number
  readonly height: number
  readonly stride: number
  readonly offset: number
}

/** A blob as SET_SCANOUT_BLOB describes it. */
export class BlobPicture implements PixelReader {
  readonly description: BlobDescription
  private readonly blob: BlobResource
  private readonly layout: PixelLayout
  private readonly line: Uint8Array<ArrayBuffer>
  private readonly words: Uint32Array

  constructor(blob: BlobResource, description: BlobDescription) {
    this.blob = blob
    this.description = description
    this.layout = FORMAT[description.format]!
    this.line = new Uint8Array(new ArrayBuffer(description.width * BYTES_PER_PIXEL))
    this.words = new Uint32Array(this.line.buffer)
  }

  readRow(row: number, column: number, count: number, target: Uint32Array, to: number): void {
    const { backing } = this.blob
    // The driver may take the pages away while they are shown: nothing new is shown then.
    if (backing === null) return
    const { offset, stride } = this.description
    const from = offset + row * stride + column * BYTES_PER_PIXEL
    if (from + count * BYTES_PER_PIXEL > backing.bytes) return
    backing.copy(from, count * BYTES_PER_PIXEL, this.line, 0)
    if (isNative(this.layout)) target.set(this.words.subarray(0, count), to)
    else convertPixels(this.layout, this.line, 0, count, target, to)
  }
}

export type Resource = Resource2d | BlobResource
