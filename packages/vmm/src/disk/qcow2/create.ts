import fs from 'node:fs'
import path from 'node:path'
import { Qcow2Error } from './errors.ts'
import { BLOCK_ENTRIES, CLUSTER, clustersOf, l1EntriesOf, MAX_DISK, TWO_32 } from './format.ts'
import { type BackingFormat, encodeHeader } from './header.ts'
import { type OpenOptions, openLocked, openQcow2 } from './open.ts'

export interface CreateOptions {
  readonly path: string
  /** Bytes, whole sectors of 512; the size of the backing file by default. */
  readonly size?: number
  /** Kept in the image as written here; a relative path starts from the image's folder. */
  readonly backing?: { readonly path: string; readonly format: BackingFormat }
  /** Where the backing file's own backing files may be, see `openQcow2`; by default in the backing file's folder. */
  readonly allow?: OpenOptions['backing']
}

/**
 * Makes an empty image: header, refcount table, one refcount block, L1 table. It is durable when this returns,
 * and a file that exists is never touched. Throws Qcow2Error, or the file system's error.
 */
export function createQcow2(options: CreateOptions): void {
  const size = options.size ?? (options.backing ? backingSize(options, options.backing) : 0)
  if (!Number.isSafeInteger(size) || size <= 0 || size % 512 !== 0) {
    throw new Qcow2Error(
      'invalid',
      `A disk of ${size} bytes is not possible: it needs a whole number of sectors of 512 bytes.`,
    )
  }
  if (size > MAX_DISK) throw new Qcow2Error('invalid', 'A disk may have 16 TiB at most.')
  if (options.size !== undefined && options.backing) backingSize(options, options.backing)

  const tableClusters = refcountTableClusters(size)
  const refcountTableOffset = CLUSTER
  const blockOffset = refcountTableOffset + tableClusters * CLUSTER
  const l1Offset = blockOffset + CLUSTER
  const l1Size = l1EntriesOf(size)
  const clusters = l1Offset / CLUSTER + clustersOf(l1Size * 8)
  const header = encodeHeader({
    size,
    l1Offset,
    l1Size,
    refcountTableOffset,
    refcountTableClusters: tableClusters,
    backing: options.backing ?? null,
  })
  const table = new Uint8Array(8)
  const tableView = new DataView(table.buffer)
  tableView.setUint32(0, Math.floor(blockOffset / TWO_32))
  tableView.setUint32(4, blockOffset % TWO_32)
  const counts = new DataView(new ArrayBuffer(clusters * 2))
  for (let i = 0; i < clusters; i++) counts.setUint16(i * 2, 1)

  const fd = fs.openSync(options.path, 'wx', 0o600)
  try {
    fs.ftruncateSync(fd, clusters * CLUSTER)
    fs.writeSync(fd, table, 0, table.length, refcountTableOffset)
    fs.writeSync(fd, counts, 0, counts.byteLength, blockOffset)
    fs.fsyncSync(fd)
    // Last, so that a file left behind by a crash is no image.
    fs.writeSync(fd, header, 0, header.length, 0)
    fs.fsyncSync(fd)
  } catch (error) {
    fs.closeSync(fd)
    fs.rmSync(options.path, { force: true })
    throw error
  }
  fs.closeSync(fd)
  syncDirectory(path.dirname(options.path))
}

/** Enough for every cluster of the disk, the tables that describe them, and an eighth more for what a crash may leak. */
export function refcountTableClusters(size: number): number {
  return Math.ceil((clustersOf(size) * 1.125) / BLOCK_ENTRIES / (CLUSTER / 8))
}

/** Opens the backing file once, so that what is made can also be opened. */
function backingSize(options: CreateOptions, backing: NonNullable<CreateOptions['backing']>): number {
  const file = path.resolve(path.dirname(options.path), backing.path)
  if (backing.format === 'raw') {
    const raw = openLocked(file, true, backing.path)
    const size = raw.size()
    raw.close()
    return Math.ceil(size / 512) * 512
  }
  const image = openQcow2(file, {
    readOnly: true,
    name: backing.path,
    ...(options.allow ? { backing: options.allow } : {}),
  })
  image.close()
  return image.size
}

function syncDirectory(directory: string): void {
  const fd = fs.openSync(directory, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}
