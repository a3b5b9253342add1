import type { Backing } from './backing.ts'
import { BarrierFile } from './barrier-file.ts'
import { checkImage } from './check.ts'
import { readL1Table } from './cluster-map.ts'
import { refcountTableClusters } from './create.ts'
import { corrupt, Qcow2Error, unsupported } from './errors.ts'
import { CLUSTER, clustersOf, HEADER_AT, INCOMPATIBLE, l1EntriesOf, MAX_DISK, TWO_32 } from './format.ts'
import type { Qcow2Header } from './header.ts'
import { Qcow2Image } from './image.ts'
import type { ImageFile } from './image-file.ts'
import { type Job, runNow, type Steps } from './jobs.ts'
import { metadataClusters } from './metadata.ts'
import { type OpenOptions, openBackingOf, openLocked, readHeader } from './open.ts'
import { Refcounts, readRefcountTable } from './refcounts.ts'

/**
 * Makes the disk of a closed image larger: `size` bytes, whole sectors. What is new reads as zeroes, also where
 * a backing file is longer than the disk was. After a crash the disk has the old size or the new one. Throws
 * Qcow2Error.
 */
export function growQcow2(path: string, size: number, options: Pick<OpenOptions, 'backing'> = {}): void {
  const file = openLocked(path, false, path)
  let backing: Backing | null = null
  try {
    const header = readHeader(file, path)
    backing = openBackingOf(header, path, options)
  } catch (error) {
    file.close()
    throw error
  }
  growQcow2File(file, path, size, backing)
}

/** The same over any file; takes `file` and `backing` over. */
export function growQcow2File(file: ImageFile, name: string, size: number, backing: Backing | null): void {
  try {
    const header = readHeader(file, name)
    if (!Number.isSafeInteger(size) || size % 512 !== 0 || size < header.size) {
      throw new Qcow2Error(
        'invalid',
        `${name} has ${header.size} bytes and cannot get ${size}: a disk only grows, by whole sectors.`,
      )
    }
    if (size > MAX_DISK) throw new Qcow2Error('invalid', 'A disk may have 16 TiB at most.')
    if (refcountTableClusters(size) > header.refcountTableClusters) {
      throw unsupported(name, `was made too small to grow to ${size} bytes`)
    }
    if (header.dirty) {
      const report = checkImage(file, header, name, true)
      if (report.corruptions > 0) throw corrupt(name, report.messages[0]!)
    }
    const enlarged =
      l1EntriesOf(size) > header.l1Size ? enlargeL1(file, header, name, l1EntriesOf(size)) : header
    const image = new Qcow2Image(file, { ...enlarged, size }, { name, backing })
    // The rest of the last cluster, and what a longer backing file would show.
    const uncovered = Math.max(clustersOf(header.size) * CLUSTER, backing?.size ?? 0)
    image.writeZeroes(header.size, Math.min(size, uncovered) - header.size, true)
    image.flush()
    file.write(HEADER_AT.size, u64(size))
    file.sync()
    image.close()
  } catch (error) {
    backing?.close()
    file.close()
    throw error
  }
}

/** Gives the L1 table `entries` entries, in new clusters when its own have no room. Returns the header as it is then. */
function enlargeL1(file: ImageFile, header: Qcow2Header, name: string, entries: number): Qcow2Header {
  const oldClusters = clustersOf(header.l1Size * 8)
  if (clustersOf(entries * 8) === oldClusters) {
    file.write(header.l1Offset + header.l1Size * 8, new Uint8Array((entries - header.l1Size) * 8))
    file.sync()
    pointToL1(file, header.l1Offset, entries)
    return { ...header, l1Size: entries }
  }
  const l1 = readL1Table(file, header, name)
  const table = readRefcountTable(file, header, name)
  const metadata = metadataClusters(header, l1, table, name)
  const refcounts = new Refcounts(new BarrierFile(file), header, table, metadata, name, 16)
  file.write(HEADER_AT.incompatible, u64(INCOMPATIBLE.dirty))
  file.sync()
  const l1Offset = runNow((job) => allocateTogether(job, refcounts, clustersOf(entries * 8))) * CLUSTER
  const bytes = new Uint8Array(clustersOf(entries * 8) * CLUSTER)
  file.read(header.l1Offset, bytes.subarray(0, header.l1Size * 8))
  file.write(l1Offset, bytes)
  runNow((job) => refcounts.writeBack(job))
  file.sync()
  pointToL1(file, l1Offset, entries)
  runNow((job) => refcounts.free(job, header.l1Offset / CLUSTER, oldClusters))
  runNow((job) => refcounts.writeBack(job))
  file.sync()
  refcounts.close()
  return { ...header, l1Offset, l1Size: entries, dirty: true }
}

/** Size and place of the table stand in one sector, so they change together. */
function pointToL1(file: ImageFile, offset: number, entries: number): void {
  const bytes = new Uint8Array(12)
  new DataView(bytes.buffer).setUint32(0, entries)
  bytes.set(u64(offset), 4)
  file.write(HEADER_AT.l1Size, bytes)
  file.sync()
}

function* allocateTogether(job: Job, refcounts: Refcounts, count: number): Steps<number> {
  const tooShort: { start: number; count: number }[] = []
  for (;;) {
    const start = yield* refcounts.allocate(job, count)
    const found = { start, count: refcounts.allocated }
    if (found.count === count) {
      for (const run of tooShort) yield* refcounts.free(job, run.start, run.count)
      return start
    }
    tooShort.push(found)
  }
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(value / TWO_32))
  view.setUint32(4, value % TWO_32)
  return bytes
}
