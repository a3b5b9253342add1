import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import { zeroAt } from '../host-memory.ts'
import type { Backing } from './backing.ts'
import type { BarrierFile } from './barrier-file.ts'
import { ClusterMap } from './cluster-map.ts'
import type { Commits } from './commits.ts'
import { CLUSTER, clustersOf } from './format.ts'
import type { IovecCursor } from './iovec-cursor.ts'
import { type Job, Pool, type Steps } from './jobs.ts'
import type { Refcounts } from './refcounts.ts'

/** Clusters allocated for one piece of a write: bounds the iovecs of a system call and what a failure has to give back. */
const MAX_RUN = 256
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

/** Writes of the guest to clusters that the image does not have, or has without contents. */
export class NewClusterWriter {
  private readonly file: BarrierFile
  private readonly map: ClusterMap
  private readonly refcounts: Refcounts
  private readonly commits: Commits
  private readonly diskBytes: number
  /** A cluster of zeroes; its owner frees it. */
  private readonly zeroes: NativeBuffer
  private readonly copyBuffers: readonly NativeBuffer[]
  private readonly copies: Pool<NativeBuffer>
  /** For one call, between two stops. */
  private readonly iov = new IovecList(64)

  /** `hasBacking`: what a write leaves of a cluster may have to be copied. */
  constructor(parts: {
    readonly file: BarrierFile
    readonly map: ClusterMap
    readonly refcounts: Refcounts
    readonly commits: Commits
    readonly diskBytes: number
    readonly zeroes: NativeBuffer
    readonly hasBacking: boolean
  }) {
    this.file = parts.file
    this.map = parts.map
    this.refcounts = parts.refcounts
    this.commits = parts.commits
    this.diskBytes = parts.diskBytes
    this.zeroes = parts.zeroes
    // They take memory when they are used.
    const copies = parts.hasBacking ? MAX_COPIES : 0
    this.copyBuffers = Array.from({ length: copies }, () => new NativeBuffer(2 * CLUSTER))
    this.copies = new Pool([...this.copyBuffers])
  }

  /**
   * Writes from byte `into` of `cluster` on, for which and behind which there are none: `bytes` bytes of the cursor, or as
   * many as there are neighbours free for. Returns how many. `under` shows through where nothing is written.
   */
  *write(
    job: Job,
    cursor: IovecCursor,
    cluster: number,
    into: number,
    bytes: number,
    under: Backing | null,
  ): Steps<number> {
    const { commits } = this
    const clusters = yield* commits.owning(job, this.allocate(job, cluster, clustersOf(into + bytes), under))
    const run = Math.min(bytes, clusters.count * CLUSTER - into)
    try {
      yield* this.writeTo(job, cursor, into, run, clusters)
    } catch (error) {
      yield* commits.owning(job, this.refcounts.free(job, clusters.start, clusters.count))
      throw error
    }
    return run
  }

  /** The same, to a cluster that the file has at `host` and of which the guest sees zeroes; `bytes` end within it. */
  *writeAllocated(
    job: Job,
    cursor: IovecCursor,
    cluster: number,
    into: number,
    bytes: number,
    host: number,
  ): Steps {
    const start = host / CLUSTER
    yield* this.writeTo(job, cursor, into, bytes, { cluster, count: 1, start, blank: false, under: null })
  }

  /** Nothing may be under way. */
  close(): void {
    for (const buffer of this.copyBuffers) buffer.free()
  }

  /** Up to `wanted` clusters for those from `cluster` on, that nothing refers to yet. */
  private *allocate(job: Job, cluster: number, wanted: number, under: Backing | null): Steps<NewClusters> {
    const { refcounts } = this
    yield* this.commits.markDirty(job)
    yield* this.map.ensureTable(job, cluster)
    const most = Math.min(wanted, ClusterMap.inOnePage(cluster), MAX_RUN)
    const start = yield* refcounts.allocate(job, most)
    return { cluster, count: refcounts.allocated, start, blank: refcounts.fresh, under }
  }

  /** Writes `bytes` bytes of the cursor from byte `into` of the clusters on, around them what the guest reads there now, and shows all of it to the guest. */
  private *writeTo(job: Job, cursor: IovecCursor, into: number, bytes: number, clusters: NewClusters): Steps {
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
    yield* this.commits.owning(job, this.show(job, cluster, count, start))
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
    let before = this.zeroes.address
    let after = this.zeroes.address
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
          Buffer.compare(buffer.bytes.subarray(at, at + length), this.zeroes.bytes.subarray(0, length)) !== 0
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
    const have = Math.max(0, Math.min(length, under.size - at, this.diskBytes - at))
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
}
