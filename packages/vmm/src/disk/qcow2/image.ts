import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import { type Backing, zeroIovecs } from './backing.ts'
import { BarrierFile } from './barrier-file.ts'
import { ClusterMap, KIND, readL1Table } from './cluster-map.ts'
import { Commits } from './commits.ts'
import { Qcow2Error } from './errors.ts'
import { CLUSTER, clustersOf, HEADER_AT } from './format.ts'
import type { Qcow2Header } from './header.ts'
import type { ImageFile } from './image-file.ts'
import { IovecCursor } from './iovec-cursor.ts'
import { type Job, runNow, type Steps } from './jobs.ts'
import { metadataClusters } from './metadata.ts'
import { NewClusterWriter } from './new-clusters.ts'
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

/** What an image that is written has beside what it reads by. */
interface Writing {
  readonly refcounts: Refcounts
  readonly commits: Commits
  readonly newClusters: NewClusterWriter
}

/**
 * A qcow2 image: reads, writes, discards, flushes, over a file that may lose everything not yet synced, in any
 * order, at any moment, which then loses no more than what was not flushed (`commits.ts`).
 *
 * Operations are steps of jobs (`jobs.ts`), and several may be under way. Whoever changes metadata owns all of it
 * meanwhile; reads, and writes of clusters that exist, go on beside it, and so does the data of new ones. Of operations on
 * the same clusters the caller sees to it that any but reads and writes in place (`isInPlace`) are alone.
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
  private readonly writing: Writing | null
  /** For one call, between two stops. */
  private readonly iov = new IovecList(64)
  private readonly zeroes = new NativeBuffer(CLUSTER)
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
    const refcounts = file.readOnly
      ? null
      : new Refcounts(file, header, table, metadata, name, options.refcountPages ?? 128)
    const l2Pages = options.l2Pages ?? 1024
    const map = new ClusterMap(file, header, l1, metadata, refcounts, name, l2Pages, (job) =>
      this.makeRoom(job),
    )
    this.map = map
    if (refcounts === null) this.writing = null
    else {
      const commits = new Commits(file, map, refcounts, header.dirty)
      const newClusters = new NewClusterWriter({
        ...{ file, map, refcounts, commits, zeroes: this.zeroes },
        ...{ diskBytes: header.size, hasBacking: backing !== null },
      })
      this.writing = { refcounts, commits, newClusters }
    }
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
    const { newClusters } = this.writable()
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
        yield* newClusters.writeAllocated(job, cursor, cluster, into, run, map.host)
      } else {
        const under = map.kind === KIND.absent ? this.backing : null
        run = yield* newClusters.write(job, cursor, cluster, into, run, under)
      }
      at += run
      rest -= run
    }
    yield
  }

  /** Everything written before is durable afterwards. */
  *flushing(job: Job): Steps {
    if (this.readOnly) return
    yield* this.writable().commits.flush(job)
  }

  /** The range need not be kept: whole clusters in it read as zeroes afterwards and give their space back, the rest is left alone. */
  *discarding(job: Job, offset: number, length: number): Steps {
    const { commits } = this.writable()
    this.checkRange(offset, length)
    const first = clustersOf(offset)
    const end =
      offset + length === this.size ? clustersOf(this.size) : Math.floor((offset + length) / CLUSTER)
    yield* commits.owning(job, this.zeroClusters(job, first, end, true))
  }

  /** The range reads as zeroes afterwards. Its space is given back only with `mayUnmap`; nothing is written where whole clusters can be marked. */
  *zeroing(job: Job, offset: number, length: number, mayUnmap: boolean): Steps {
    const { commits } = this.writable()
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
    yield* commits.owning(job, this.zeroClusters(job, first, last, mayUnmap))
    if (last * CLUSTER < end) yield* this.zeroPart(job, last * CLUSTER, end - last * CLUSTER)
  }

  /** Whether so much metadata waits to be written that an operation may soon have to do that first. */
  get commitDue(): boolean {
    return this.writing?.commits.due === true
  }

  /** Writes metadata, without a sync at the end where nothing was freed. */
  *makeRoom(job: Job): Steps {
    if (this.writing !== null) yield* this.writing.commits.makeRoom(job)
  }

  /** Everything is durable afterwards, and the image marked as closed properly. `abandon` has to follow. */
  *closing(job: Job): Steps {
    if (this.writing !== null) yield* this.writing.commits.finish(job)
  }

  /** Closes the files and writes nothing any more, as if the process had died. Nothing may be under way. */
  abandon(): void {
    if (this.closed) return
    this.closed = true
    this.map.close()
    this.writing?.refcounts.close()
    this.writing?.commits.close()
    this.writing?.newClusters.close()
    this.zeroes.free()
    this.file.close()
    this.backing?.close()
  }

  private *zeroClusters(job: Job, first: number, end: number, mayUnmap: boolean): Steps {
    const { map } = this
    const { commits } = this.writable()
    let cluster = first
    while (cluster < end) {
      if (!map.has(cluster)) yield* map.load(job, cluster)
      map.lookup(cluster, Math.min(end - cluster, ClusterMap.inOnePage(cluster)))
      const { kind, host, count } = map
      // Where the backing file has something, absent does not read as zeroes.
      const covered = this.backing !== null && cluster * CLUSTER < this.backing.size
      const stored = kind === KIND.data || (kind === KIND.zeroAllocated && mayUnmap)
      if (stored || (kind === KIND.absent && covered)) {
        if (yield* commits.markDirty(job)) continue
        yield* map.ensureTable(job, cluster)
        if (stored) map.set(cluster, count, mayUnmap ? 0 : host, covered || !mayUnmap)
        else map.set(cluster, count, 0, true)
        if (stored && mayUnmap) yield* commits.release(job, host / CLUSTER, count)
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
    iov.set(0, this.zeroes.address, length)
    yield* this.write(job, at, iov, 1, length)
  }

  private checkRange(offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw new RangeError(`${offset}+${length} is outside a disk of ${this.size} bytes`)
    }
  }

  private writable(): Writing {
    if (this.writing === null) throw new Qcow2Error('invalid', `${this.name} is open for reading only`)
    if (this.closed) throw new Qcow2Error('invalid', `${this.name} is closed`)
    return this.writing
  }
}
