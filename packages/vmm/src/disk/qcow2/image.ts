import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import { zeroAt } from '../host-memory.ts'
import { type Backing, zeroIovecs } from './backing.ts'
import { BarrierFile } from './barrier-file.ts'
import { ClusterMap, KIND, readL1Table } from './cluster-map.ts'
import { Qcow2Error } from './errors.ts'
import { CLUSTER, clustersOf, HEADER_AT, INCOMPATIBLE } from './format.ts'
import type { Qcow2Header } from './header.ts'
import type { ImageFile } from './image-file.ts'
import { IovecCursor } from './iovec-cursor.ts'
import { type Job, Pool, runNow, type Steps } from './jobs.ts'
import { metadataClusters } from './metadata.ts'
import { Refcounts, readRefcountTable } from './refcounts.ts'

export interface ImageOptions {
  /** What messages call the image. */
  readonly name: string
  /** Takes it over. */
  readonly backing: Backing | null
  /** Bound of the L2 cache, in pages of 4 KiB that describe 32 MiB of disk each. Memory is taken as it is used. */
  readonly l2Pages?: number
  /** Bound of the refcount cache, in pages of 4 KiB that describe 128 MiB of file each. */
  readonly refcountPages?: number
}

/** Clusters allocated for one piece of a write: bounds the iovecs of a system call and what a failure has to give back. */
const MAX_RUN = 256
/** Runs of freed clusters kept until the next commit. */
const MAX_FREED = 1024
/** Writes that copy from the backing file at once: each holds two clusters of memory. */
const MAX_COPIES = 8

/** Clusters of the file for clusters of the guest, of which the guest does not see anything yet. */
interface NewClusters {
  /** The first of the guest's. */
  readonly cluster: number
  readonly count: number
  /** The first of the file's. */
  readonly start: number
  /** They are known to read as zeroes. */
  readonly blank: boolean
  /** What they do not get shows through from here; null where that is zeroes. */
  readonly under: Backing | null
}

/**
 * A qcow2 image: reads, writes, discards, flushes, over a file that may lose everything not yet synced, in any
 * order, at any moment. What holds at each of these moments:
 *
 * - every cluster that a durable table refers to is durable itself and has a durable count of at least 1;
 * - no two references to one cluster are ever durable together.
 *
 * So a crash loses what was not flushed and leaks clusters (counts that are too high), no more. It is kept by
 * writing in this order, with a sync at each ‖:
 *
 *   data, counts, zeroes of new tables ‖ L2 entries, L1 entries ‖ counts of freed clusters
 *
 * Data goes to the file at once, metadata only in `commit`, and an entry is set when the data it shows has been written.
 * Freed clusters are given to nobody before the tables that referred to them are durable without the reference. The
 * dirty bit is durable before the first change, and tells the next open to look for leaks.
 *
 * Operations are steps of jobs (`jobs.ts`), and several may be under way. Whoever changes metadata owns all of it
 * meanwhile, a commit from its first write to its last sync; reads, and writes of clusters that exist, go on beside it,
 * and so does the data of new ones. Of operations on the same clusters the caller sees to it that any but reads and
 * writes in place (`isInPlace`) are alone.
 *
 * A failed system call throws its SystemError, damage found throws Qcow2Error, and the image stays usable, except after a
 * failed sync: what the kernel then dropped is unknown, so nothing may be called durable any more and writing ends.
 */
export class Qcow2Image implements Backing {
  readonly size: number
  readonly readOnly: boolean
  private readonly file: BarrierFile
  private readonly name: string
  private readonly backing: Backing | null
  private readonly map: ClusterMap
  /** None when read-only. */
  private readonly refcounts: Refcounts | null
  private readonly metadata = new Pool<true>([true])
  private readonly copyBuffers: readonly NativeBuffer[]
  private readonly copies: Pool<NativeBuffer>
  /** For one call, between two stops. */
  private readonly iov = new IovecList(64)
  /** A cluster of zeroes, then the feature bits of the header. */
  private readonly scratch = new NativeBuffer(CLUSTER + 8)
  /** The dirty bit is set on disk. */
  private markedDirty: boolean
  private freed: { readonly start: number; count: number }[] = []
  private closed = false

  /**
   * Takes over `imageFile`, whose header was parsed, and `options.backing`. A dirty image has to be repaired before
   * it is opened for writing. Throws Qcow2Error when its tables are damaged.
   */
  constructor(imageFile: ImageFile, header: Qcow2Header, options: ImageOptions) {
    const { name, backing } = options
    const l1 = readL1Table(imageFile, header, name)
    const table = readRefcountTable(imageFile, header, name)
    const metadata = metadataClusters(header, l1, table, name)
    if (header.autoclear && !imageFile.readOnly) imageFile.write(HEADER_AT.autoclear, new Uint8Array(8))
    const file = new BarrierFile(imageFile)
    this.file = file
    this.name = name
    this.size = header.size
    this.readOnly = file.readOnly
    this.backing = backing
    this.markedDirty = header.dirty
    this.refcounts = file.readOnly
      ? null
      : new Refcounts(file, header, table, metadata, name, options.refcountPages ?? 128)
    const l2Pages = options.l2Pages ?? 1024
    this.map = new ClusterMap(file, header, l1, metadata, this.refcounts, name, l2Pages, (job) =>
      this.makeRoom(job),
    )
    // They take memory when they are used.
    const copies = backing === null || this.readOnly ? 0 : MAX_COPIES
    this.copyBuffers = Array.from({ length: copies }, () => new NativeBuffer(2 * CLUSTER))
    this.copies = new Pool([...this.copyBuffers])
  }

  // Done when they return, on files that never wait: for tools and tests.

  readv(offset: number, iov: IovecList, count: number, bytes: number): void {
    runNow((job) => this.read(job, offset, iov, count, bytes))
  }

  writev(offset: number, iov: IovecList, count: number, bytes: number): void {
    runNow((job) => this.write(job, offset, iov, count, bytes))
  }

  flush(): void {
    runNow((job) => this.flushing(job))
  }

  discard(offset: number, length: number): void {
    runNow((job) => this.discarding(job, offset, length))
  }

  writeZeroes(offset: number, length: number, mayUnmap: boolean): void {
    runNow((job) => this.zeroing(job, offset, length, mayUnmap))
  }

  /** Makes everything durable, marks the image as closed properly and closes it and its backing files. */
  close(): void {
    try {
      if (!this.closed) runNow((job) => this.closing(job))
    } finally {
      this.abandon()
    }
  }

  // Steps of a job.

  /** Reads into the `count` iovecs, which are `bytes` together, from byte `offset` of the disk. */
  *read(job: Job, offset: number, iov: IovecList, _count: number, bytes: number): Steps {
    this.checkRange(offset, bytes)
    const { map, backing } = this
    const cursor = new IovecCursor(iov)
    let at = offset
    let rest = bytes
    while (rest > 0) {
      const cluster = Math.floor(at / CLUSTER)
      const into = at - cluster * CLUSTER
      if (!map.has(cluster)) yield* map.load(job, cluster)
      map.lookup(cluster, clustersOf(into + rest))
      const run = Math.min(rest, map.count * CLUSTER - into)
      if (map.kind === KIND.data) {
        const entries = cursor.take(run, this.iov, 0)
        this.file.beginRead(job, map.host + into, this.iov, entries, run)
      } else {
        const under = map.kind === KIND.absent && backing !== null ? Math.max(0, backing.size - at) : 0
        const covered = Math.min(run, under)
        if (covered > 0) {
          // A list of its own: these steps may stop.
          const list = new IovecList(4)
          yield* backing!.read(job, at, list, cursor.take(covered, list, 0), covered)
        }
        if (covered < run) zeroIovecs(this.iov, cursor.take(run - covered, this.iov, 0))
      }
      at += run
      rest -= run
    }
    yield
  }

  /** Whether a write here changes no metadata. False also where that is not known without waiting. */
  isInPlace(offset: number, bytes: number): boolean {
    const { map } = this
    const end = clustersOf(offset + bytes)
    for (let cluster = Math.floor(offset / CLUSTER); cluster < end; cluster += map.count) {
      if (!map.has(cluster)) return false
      map.lookup(cluster, end - cluster)
      if (map.kind !== KIND.data) return false
    }
    return true
  }

  /** Writes the iovecs to byte `offset` of the disk. Durable after the next `flushing`. */
  *write(job: Job, offset: number, iov: IovecList, _count: number, bytes: number): Steps {
    this.checkWritable()
    this.checkRange(offset, bytes)
    const { map } = this
    const cursor = new IovecCursor(iov)
    let at = offset
    let rest = bytes
    while (rest > 0) {
      const cluster = Math.floor(at / CLUSTER)
      const into = at - cluster * CLUSTER
      if (!map.has(cluster)) yield* map.load(job, cluster)
      map.lookup(cluster, clustersOf(into + rest))
      let run = Math.min(rest, map.count * CLUSTER - into)
      if (map.kind === KIND.data) {
        const entries = cursor.take(run, this.iov, 0)
        this.file.beginWrite(job, map.host + into, this.iov, entries, run)
      } else if (map.kind === KIND.zeroAllocated) {
        run = Math.min(run, CLUSTER - into)
        const start = map.host / CLUSTER
        yield* this.writeNew(job, cursor, into, run, { cluster, count: 1, start, blank: false, under: null })
      } else {
        const under = map.kind === KIND.absent ? this.backing : null
        const clusters = yield* this.owning(job, this.allocate(job, cluster, clustersOf(into + run), under))
        run = Math.min(run, clusters.count * CLUSTER - into)
        try {
          yield* this.writeNew(job, cursor, into, run, clusters)
        } catch (error) {
          yield* this.owning(job, this.refcounts!.free(job, clusters.start, clusters.count))
          throw error
        }
      }
      at += run
      rest -= run
    }
    yield
  }

  /** Everything written before is durable afterwards. */
  *flushing(job: Job): Steps {
    if (this.readOnly) return
    this.checkWritable()
    if (this.map.hasChanges || this.freed.length > 0) yield* this.owning(job, this.commit(job, true))
    else yield* this.file.sync(job)
  }

  /** The range need not be kept: whole clusters in it read as zeroes afterwards and give their space back, the rest is left alone. */
  *discarding(job: Job, offset: number, length: number): Steps {
    this.checkWritable()
    this.checkRange(offset, length)
    const first = clustersOf(offset)
    const end =
      offset + length === this.size ? clustersOf(this.size) : Math.floor((offset + length) / CLUSTER)
    yield* this.owning(job, this.zeroClusters(job, first, end, true))
  }

  /** The range reads as zeroes afterwards. Its space is given back only with `mayUnmap`; nothing is written where whole clusters can be marked. */
  *zeroing(job: Job, offset: number, length: number, mayUnmap: boolean): Steps {
    this.checkWritable()
    this.checkRange(offset, length)
    if (length === 0) return
    const end = offset + length
    const first = clustersOf(offset)
    const last = end === this.size ? clustersOf(this.size) : Math.floor(end / CLUSTER)
    if (first > last) {
      yield* this.zeroPart(job, offset, length)
      return
    }
    if (offset < first * CLUSTER) yield* this.zeroPart(job, offset, Math.min(end, first * CLUSTER) - offset)
    yield* this.owning(job, this.zeroClusters(job, first, last, mayUnmap))
    if (last * CLUSTER < end) yield* this.zeroPart(job, last * CLUSTER, end - last * CLUSTER)
  }

  /** Whether so much metadata waits to be written that an operation may soon have to do that first. */
  get commitDue(): boolean {
    return this.map.crowded || this.freed.length >= MAX_FREED / 2
  }

  /** Writes metadata, without a sync at the end where nothing was freed. */
  *makeRoom(job: Job): Steps {
    yield* this.owning(job, this.commit(job, false))
  }

  /** Everything is durable afterwards, and the image marked as closed properly. `abandon` has to follow. */
  *closing(job: Job): Steps {
    if (this.readOnly) return
    yield* this.commit(job, true)
    if (!this.markedDirty) return
    // The counts of what the commit freed.
    yield* this.refcounts!.writeBack(job)
    yield* this.file.sync(job)
    yield* this.writeFeatures(job, 0)
    yield* this.file.sync(job)
  }

  /** Closes the files and writes nothing any more, as if the process had died. Nothing may be under way. */
  abandon(): void {
    if (this.closed) return
    this.closed = true
    this.map.close()
    this.refcounts?.close()
    this.scratch.free()
    for (const buffer of this.copyBuffers) buffer.free()
    this.file.close()
    this.backing?.close()
  }

  /** Runs steps that change metadata when nobody else does. */
  private *owning<T>(job: Job, steps: Steps<T>): Steps<T> {
    if (job.ownsMetadata) return yield* steps
    const turn = yield* this.metadata.take(job)
    job.ownsMetadata = true
    try {
      return yield* steps
    } finally {
      job.ownsMetadata = false
      this.metadata.give(turn)
    }
  }

  /** Up to `wanted` clusters for those from `cluster` on, that nothing refers to yet. */
  private *allocate(job: Job, cluster: number, wanted: number, under: Backing | null): Steps<NewClusters> {
    const refcounts = this.refcounts!
    yield* this.markDirty(job)
    yield* this.map.ensureTable(job, cluster)
    const most = Math.min(wanted, ClusterMap.inOnePage(cluster), MAX_RUN)
    const start = yield* refcounts.allocate(job, most)
    return { cluster, count: refcounts.allocated, start, blank: refcounts.fresh, under }
  }

  /** Writes `bytes` bytes of the cursor from byte `into` of the clusters on, around them what the guest reads there now, and shows all of it to the guest. */
  private *writeNew(
    job: Job,
    cursor: IovecCursor,
    into: number,
    bytes: number,
    clusters: NewClusters,
  ): Steps {
    const { cluster, count, start, under } = clusters
    const partly = into > 0 || into + bytes < count * CLUSTER
    if (under !== null && partly && cluster * CLUSTER < under.size) {
      const buffer = yield* this.copies.take(job)
      try {
        yield* this.fill(job, cursor, into, bytes, clusters, buffer)
      } finally {
        this.copies.give(buffer)
      }
    } else yield* this.fill(job, cursor, into, bytes, clusters, null)
    yield* this.owning(job, this.show(job, cluster, count, start))
  }

  /** With a buffer (two clusters), what surrounds the write comes from the backing file; else it is zeroes. */
  private *fill(
    job: Job,
    cursor: IovecCursor,
    into: number,
    bytes: number,
    { cluster, count, start, blank, under }: NewClusters,
    buffer: NativeBuffer | null,
  ): Steps {
    const guest = cluster * CLUSTER
    const end = into + bytes
    const tail = count * CLUSTER - end
    // Zeroes, or in the buffer: where the first and the last cluster are, whatever lies between.
    let before = this.scratch.address
    let after = this.scratch.address
    let writeBefore = into > 0 && !blank
    let writeAfter = tail > 0 && !blank
    if (buffer !== null && under !== null) {
      before = buffer.address
      after = buffer.address + Math.min(count, 2) * CLUSTER - tail
      if (count === 1) {
        // One read for what lies before and behind; what is between goes with it.
        const from = into > 0 ? 0 : end
        const length = (tail > 0 ? CLUSTER : into) - from
        yield* this.copyUnder(job, under, guest + from, length, buffer.address + from)
      } else {
        if (into > 0) yield* this.copyUnder(job, under, guest, into, before)
        if (tail > 0) yield* this.copyUnder(job, under, guest + end, tail, after)
      }
      // A base image is mostly holes; copying them as zeroes would take space for nothing.
      const has = (address: number, length: number): boolean => {
        const at = address - buffer.address
        return (
          Buffer.compare(buffer.bytes.subarray(at, at + length), this.scratch.bytes.subarray(0, length)) !== 0
        )
      }
      writeBefore ||= into > 0 && has(before, into)
      writeAfter ||= tail > 0 && has(after, tail)
    }
    let entries = 0
    if (writeBefore) this.iov.set(entries++, before, into)
    entries = cursor.take(bytes, this.iov, entries)
    if (writeAfter) this.iov.set(entries++, after, tail)
    const from = start * CLUSTER + (writeBefore ? 0 : into)
    const length = (writeBefore ? into : 0) + bytes + (writeAfter ? tail : 0)
    this.file.beginWrite(job, from, this.iov, entries, length)
    yield
  }

  /** Less than a cluster of what shows through at `at` of the disk, to memory of ours. */
  private *copyUnder(job: Job, under: Backing, at: number, length: number, address: number): Steps {
    // What lies past the disk's end stays zero: the disk may grow.
    const have = Math.max(0, Math.min(length, under.size - at, this.size - at))
    zeroAt(address + have, length - have)
    if (have === 0) return
    const list = new IovecList(1)
    list.set(0, address, have)
    yield* under.read(job, at, list, 1, have)
  }

  private *show(job: Job, cluster: number, count: number, start: number): Steps {
    if (!this.map.has(cluster)) yield* this.map.load(job, cluster)
    this.map.set(cluster, count, start * CLUSTER, false)
  }

  private *zeroClusters(job: Job, first: number, end: number, mayUnmap: boolean): Steps {
    const { map } = this
    let cluster = first
    while (cluster < end) {
      if (!map.has(cluster)) yield* map.load(job, cluster)
      map.lookup(cluster, Math.min(end - cluster, ClusterMap.inOnePage(cluster)))
      const { kind, host, count } = map
      // Where the backing file has something, absent does not read as zeroes.
      const covered = this.backing !== null && cluster * CLUSTER < this.backing.size
      const stored = kind === KIND.data || (kind === KIND.zeroAllocated && mayUnmap)
      if (stored || (kind === KIND.absent && covered)) {
        if (!this.markedDirty) {
          yield* this.markDirty(job)
          continue
        }
        yield* map.ensureTable(job, cluster)
        if (stored) map.set(cluster, count, mayUnmap ? 0 : host, covered || !mayUnmap)
        else map.set(cluster, count, 0, true)
        if (stored && mayUnmap) yield* this.release(job, host / CLUSTER, count)
      }
      cluster += count
    }
  }

  /** Writes zeroes to a part of one cluster, if it does not read as such anyway. */
  private *zeroPart(job: Job, at: number, length: number): Steps {
    const { map } = this
    const cluster = Math.floor(at / CLUSTER)
    if (!map.has(cluster)) yield* map.load(job, cluster)
    map.lookup(cluster, 1)
    const covered = map.kind === KIND.absent && this.backing !== null && at < this.backing.size
    if (map.kind !== KIND.data && !covered) return
    const iov = new IovecList(1)
    iov.set(0, this.scratch.address, length)
    yield* this.write(job, at, iov, 1, length)
  }

  private *release(job: Job, start: number, count: number): Steps {
    const last = this.freed.at(-1)
    if (last !== undefined && last.start + last.count === start) last.count += count
    else this.freed.push({ start, count })
    if (this.freed.length >= MAX_FREED) yield* this.commit(job, false)
  }

  /** Writes the metadata in the order that keeps the promise of this class; with `durable` all of it is durable afterwards. */
  private *commit(job: Job, durable: boolean): Steps {
    const { map, file, freed } = this
    const refcounts = this.refcounts!
    if (map.hasChanges) {
      yield* refcounts.writeBack(job)
      yield* file.sync(job)
      yield* map.writeBack(job)
    }
    if (durable || freed.length > 0) yield* file.sync(job)
    if (freed.length === 0) return
    this.freed = []
    for (const { start, count } of freed) file.beginPunch(job, start * CLUSTER, count * CLUSTER)
    // Who gets them next must not lose what he writes to a hole that is made late.
    yield
    for (const { start, count } of freed) yield* refcounts.free(job, start, count)
  }

  private *markDirty(job: Job): Steps {
    if (this.markedDirty) return
    yield* this.writeFeatures(job, INCOMPATIBLE.dirty)
    yield* this.file.sync(job)
    this.markedDirty = true
  }

  private *writeFeatures(job: Job, low: number): Steps {
    const { address, bytes } = this.scratch
    bytes[CLUSTER + 7] = low
    const iov = new IovecList(1)
    iov.set(0, address + CLUSTER, 8)
    this.file.beginWrite(job, HEADER_AT.incompatible, iov, 1, 8)
    yield
  }

  private checkRange(offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw new RangeError(`${offset}+${length} is outside a disk of ${this.size} bytes`)
    }
  }

  private checkWritable(): void {
    if (this.readOnly) throw new Qcow2Error('invalid', `${this.name} is open for reading only`)
    if (this.closed) throw new Qcow2Error('invalid', `${this.name} is closed`)
  }
}
