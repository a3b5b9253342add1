import { corrupt, Qcow2Error, unsupported } from './errors.ts'
import {
  AUTOCLEAR,
  CLUSTER,
  CLUSTER_BITS,
  COMPATIBLE,
  EXTENSION,
  HEADER_LENGTH,
  INCOMPATIBLE,
  l1EntriesOf,
  MAGIC,
  MAX_BACKING_NAME,
  MAX_DISK,
  MAX_REFCOUNT_TABLE_CLUSTERS,
  REFCOUNT_ORDER,
  TWO_32,
  VERSION,
} from './format.ts'

export type BackingFormat = 'raw' | 'qcow2'

/** A header that was checked: every offset is cluster-aligned and inside the file, every size within its cap. */
export interface Qcow2Header {
  /** Bytes of the virtual disk, whole sectors. */
  readonly size: number
  readonly l1Offset: number
  /** Entries; at least as many as `size` needs. */
  readonly l1Size: number
  readonly refcountTableOffset: number
  readonly refcountTableClusters: number
  /** Not closed properly: reference counts may be too high. */
  readonly dirty: boolean
  /** Unknown autoclear bits are set; whoever writes to the image has to clear them first. */
  readonly autoclear: boolean
  /** The file name is as it stands in the image, relative to the image's folder unless absolute. */
  readonly backing: { readonly path: string; readonly format: BackingFormat } | null
}

/**
 * Reads the header from the first cluster of a file of `fileSize` bytes (`bytes` may be shorter when the file
 * is). Trusts nothing; throws Qcow2Error. `name` is what messages call the file.
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, name: string): Qcow2Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 8 || view.getUint32(0) !== MAGIC) {
    throw new Qcow2Error('not-qcow2', `${name} is not a qcow2 image.`)
  }
  const version = view.getUint32(4)
  if (version !== VERSION) throw unsupported(name, `is qcow2 version ${version}`)
  if (bytes.length < HEADER_LENGTH.minimum) throw corrupt(name, 'it ends within its header')
  const u64 = (at: number) => view.getUint32(at) * TWO_32 + view.getUint32(at + 4)

  const headerLength = view.getUint32(100)
  if (headerLength < HEADER_LENGTH.minimum || headerLength % 8 !== 0 || headerLength > bytes.length) {
    throw corrupt(name, `its header claims to be ${headerLength} bytes long`)
  }
  const dirty = refuseFeatures(view, headerLength, name)

  const clusterBits = view.getUint32(20)
  if (clusterBits !== CLUSTER_BITS) {
    if (clusterBits < 9 || clusterBits > 21) throw corrupt(name, `its cluster size is 2^${clusterBits} bytes`)
    throw unsupported(name, `has clusters of ${2 ** clusterBits} bytes instead of ${CLUSTER}`)
  }
  const refcountOrder = view.getUint32(96)
  if (refcountOrder !== REFCOUNT_ORDER) {
    if (refcountOrder > 6) throw corrupt(name, `its reference counts are 2^${refcountOrder} bits wide`)
    throw unsupported(name, `has reference counts of ${2 ** refcountOrder} bits instead of 16`)
  }
  const cryptMethod = view.getUint32(32)
  if (cryptMethod !== 0) throw unsupported(name, 'is encrypted')
  const snapshots = view.getUint32(60)
  if (snapshots !== 0) throw unsupported(name, `holds internal snapshots (${snapshots})`)

  const size = u64(24)
  if (size > MAX_DISK) throw unsupported(name, `is larger than 16 TiB (${size} bytes)`)
  if (size === 0 || size % 512 !== 0)
    throw corrupt(name, `its disk has ${size} bytes, not a number of sectors`)

  const table = (what: string, offset: number, length: number) => {
    if (offset === 0 || offset % CLUSTER !== 0)
      throw corrupt(name, `its ${what} is at ${offset}, not at a cluster`)
    if (offset + length > fileSize) throw corrupt(name, `its ${what} lies outside the file`)
  }
  const l1Size = view.getUint32(36)
  if (l1Size < l1EntriesOf(size) || l1Size > l1EntriesOf(MAX_DISK)) {
    throw corrupt(name, `its L1 table has ${l1Size} entries for a disk of ${size} bytes`)
  }
  const l1Offset = u64(40)
  table('L1 table', l1Offset, l1Size * 8)
  const refcountTableClusters = view.getUint32(56)
  if (refcountTableClusters === 0) throw corrupt(name, 'it has no refcount table')
  if (refcountTableClusters > MAX_REFCOUNT_TABLE_CLUSTERS) {
    throw unsupported(name, `has a refcount table of ${refcountTableClusters} clusters`)
  }
  const refcountTableOffset = u64(48)
  table('refcount table', refcountTableOffset, refcountTableClusters * CLUSTER)

  const backingFormat = readExtensions(view, bytes, headerLength, name)
  return {
    size,
    l1Offset,
    l1Size,
    refcountTableOffset,
    refcountTableClusters,
    dirty,
    autoclear: u64(88) !== 0,
    backing: readBacking(u64(8), view.getUint32(16), bytes, headerLength, backingFormat, name),
  }
}

/** Throws for every feature bit that changes how the file is read; returns whether the dirty bit is set. */
function refuseFeatures(view: DataView, headerLength: number, name: string): boolean {
  const high = view.getUint32(72)
  const low = view.getUint32(76)
  if ((low & INCOMPATIBLE.corrupt) !== 0)
    throw corrupt(name, 'it was marked as corrupt by the program that wrote it')
  if ((low & INCOMPATIBLE.externalData) !== 0)
    throw unsupported(name, 'keeps its data in an external data file')
  const compressionType = headerLength > HEADER_LENGTH.minimum ? view.getUint8(104) : 0
  if ((low & INCOMPATIBLE.compressionType) !== 0 || compressionType !== 0) {
    throw unsupported(name, `uses compression (type ${compressionType})`)
  }
  if ((low & INCOMPATIBLE.extendedL2) !== 0) throw unsupported(name, 'has extended L2 entries')
  const known =
    INCOMPATIBLE.dirty |
    INCOMPATIBLE.corrupt |
    INCOMPATIBLE.externalData |
    INCOMPATIBLE.compressionType |
    INCOMPATIBLE.extendedL2
  const unknown = (low & ~known) >>> 0
  if (high !== 0 || unknown !== 0) {
    throw unsupported(
      name,
      `needs unknown features (incompatible bits 0x${(high * TWO_32 + unknown).toString(16)})`,
    )
  }
  if ((view.getUint32(84) & COMPATIBLE.lazyRefcounts) !== 0) throw unsupported(name, 'uses lazy refcounts')
  const autoclear = view.getUint32(92)
  if ((autoclear & AUTOCLEAR.bitmaps) !== 0) throw unsupported(name, 'holds persistent bitmaps')
  if ((autoclear & AUTOCLEAR.rawExternalData) !== 0) {
    throw unsupported(name, 'keeps its data in an external data file')
  }
  return (low & INCOMPATIBLE.dirty) !== 0
}

/** Walks the header extensions, within the first cluster; returns the backing format's name, if there is one. */
function readExtensions(view: DataView, bytes: Uint8Array, start: number, name: string): string | null {
  let format: string | null = null
  let at = start
  while (at + 8 <= bytes.length) {
    const type = view.getUint32(at)
    const length = view.getUint32(at + 4)
    if (type === EXTENSION.end) return format
    if (length > bytes.length - at - 8) throw corrupt(name, 'a header extension is longer than the header')
    if (type === EXTENSION.encryption) throw unsupported(name, 'is encrypted')
    if (type === EXTENSION.bitmaps) throw unsupported(name, 'holds persistent bitmaps')
    if (type === EXTENSION.externalDataFile)
      throw unsupported(name, 'keeps its data in an external data file')
    if (type === EXTENSION.backingFormat) format = text(bytes.subarray(at + 8, at + 8 + length))
    // What else there is is safe to ignore, says the specification.
    at += 8 + Math.ceil(length / 8) * 8
  }
  return format
}

function readBacking(
  offset: number,
  length: number,
  bytes: Uint8Array,
  headerLength: number,
  format: string | null,
  name: string,
): Qcow2Header['backing'] {
  if (offset === 0) return null
  if (offset < headerLength || length === 0 || length > MAX_BACKING_NAME || offset + length > bytes.length) {
    throw corrupt(name, 'the name of its backing file lies outside its header')
  }
  const path = text(bytes.subarray(offset, offset + length))
  if (path === null) throw corrupt(name, 'the name of its backing file is not text')
  // QEMU takes "nbd:…" and "json:{…}" for protocols; such a name never means a file to us.
  if (/^[^/]*:/.test(path)) throw unsupported(name, `is based on "${path}", which is not a plain file name`)
  if (format === null) {
    throw unsupported(name, 'names a backing file without saying its format')
  }
  if (format !== 'raw' && format !== 'qcow2')
    throw unsupported(name, `has a backing file of format "${format}"`)
  return { path, format }
}

/** UTF-8 without control characters, or null. */
function text(bytes: Uint8Array): string | null {
  try {
    const value = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    return /[\0-\x1f\x7f]/.test(value) ? null : value
  } catch {
    return null
  }
}

/** The first bytes of a new image's header cluster; the rest of the cluster is zero. */
export function encodeHeader(header: Omit<Qcow2Header, 'dirty' | 'autoclear'>): Uint8Array {
  const encoder = new TextEncoder()
  const path = header.backing ? encoder.encode(header.backing.path) : new Uint8Array()
  if (header.backing && (path.length === 0 || path.length > MAX_BACKING_NAME)) {
    throw new Qcow2Error('invalid', `The name of the backing file is longer than ${MAX_BACKING_NAME} bytes.`)
  }
  const format = header.backing ? encoder.encode(header.backing.format) : new Uint8Array()
  const extensionBytes = header.backing ? 8 + Math.ceil(format.length / 8) * 8 : 0
  const pathAt = HEADER_LENGTH.ours + extensionBytes + 8
  const bytes = new Uint8Array(pathAt + path.length)
  const view = new DataView(bytes.buffer)
  const u64 = (at: number, value: number) => {
    view.setUint32(at, Math.floor(value / TWO_32))
    view.setUint32(at + 4, value % TWO_32)
  }
  view.setUint32(0, MAGIC)
  view.setUint32(4, VERSION)
  if (header.backing) {
    u64(8, pathAt)
    view.setUint32(16, path.length)
    view.setUint32(HEADER_LENGTH.ours, EXTENSION.backingFormat)
    view.setUint32(HEADER_LENGTH.ours + 4, format.length)
    bytes.set(format, HEADER_LENGTH.ours + 8)
    bytes.set(path, pathAt)
  }
  view.setUint32(20, CLUSTER_BITS)
  u64(24, header.size)
  view.setUint32(36, header.l1Size)
  u64(40, header.l1Offset)
  u64(48, header.refcountTableOffset)
  view.setUint32(56, header.refcountTableClusters)
  view.setUint32(96, REFCOUNT_ORDER)
  view.setUint32(100, HEADER_LENGTH.ours)
  return bytes
}
