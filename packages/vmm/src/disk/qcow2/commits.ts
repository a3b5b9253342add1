import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import type { BarrierFile } from './barrier-file.ts'
import type { ClusterMap } from './cluster-map.ts'
import { CLUSTER, HEADER_AT, INCOMPATIBLE } from './format.ts'
import { type Job, Pool, type Steps } from './jobs.ts'
import type { Refcounts } from './refcounts.ts'

/** Runs of freed clusters kept until the next commit. */
const MAX_FREED = 1024

/**
 * When an image's metadata changes, and in which order that reaches the disk. What holds at each moment:
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
 * Whoever changes metadata owns all of it meanwhile, a commit from its first write to its last sync.
 */
export class Commits {
  private readonly file: BarrierFile
  private readonly map: ClusterMap
  private readonly refcounts: Refcounts
  private readonly metadata = new Pool<true>([true])
  /** The feature bits of the header as they are on disk. */
  private readonly features = new NativeBuffer(8)
  /** The dirty bit is set on disk. */
  private markedDirty: boolean
  private freed: { readonly start: number; count: number }[] = []

  constructor(file: BarrierFile, map: ClusterMap, refcounts: Refcounts, markedDirty: boolean) {
    this.file = file
    this.map = map
    this.refcounts = refcounts
    this.markedDirty = markedDirty
  }

  /** So much waits to be written that an operation may soon have to do that first. */
  get due(): boolean {
    return this.map.crowded || this.freed.length >= MAX_FREED / 2
  }

  /** Runs steps that change metadata when nobody else does. */
  *owning<T>(job: Job, steps: Steps<T>): Steps<T> {
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

  /** Everything written before is durable afterwards. */
  *flush(job: Job): Steps {
    if (this.map.hasChanges || this.freed.length > 0) yield* this.owning(job, this.commit(job, true))
    else yield* this.file.sync(job)
  }

  /** Writes metadata, without a sync at the end where nothing was freed. */
  *makeRoom(job: Job): Steps {
    yield* this.owning(job, this.commit(job, false))
  }

  /** Everything is durable afterwards, and the image marked as closed properly. */
  *finish(job: Job): Steps {
    yield* this.commit(job, true)
    if (!this.markedDirty) return
    // The counts of what the commit freed.
    yield* this.refcounts.writeBack(job)
    yield* this.file.sync(job)
    yield* this.writeFeatures(job, 0)
    yield* this.file.sync(job)
  }

  /** Before the first change. Returns whether that took time, in which anything may have happened. */
  *markDirty(job: Job): Steps<boolean> {
    if (this.markedDirty) return false
    yield* this.writeFeatures(job, INCOMPATIBLE.dirty)
    yield* this.file.sync(job)
    this.markedDirty = true
    return true
  }

  /** The owner's tables do not refer to these clusters any more. */
  *release(job: Job, start: number, count: number): Steps {
    const last = this.freed.at(-1)
    if (last !== undefined && last.start + last.count === start) last.count += count
    else this.freed.push({ start, count })
    if (this.freed.length >= MAX_FREED) yield* this.commit(job, false)
  }

  /** Nothing may be under way. */
  close(): void {
    this.features.free()
  }

  /** Writes the metadata in the order that keeps the promise of this class; with `durable` all of it is durable afterwards. */
  private *commit(job: Job, durable: boolean): Steps {
    const { map, file, refcounts, freed } = this
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

  private *writeFeatures(job: Job, low: number): Steps {
    const { address, bytes } = this.features
    bytes[7] = low
    const iov = new IovecList(1)
    iov.set(0, address, 8)
    this.file.beginWrite(job, HEADER_AT.incompatible, iov, 1, 8)
    yield
  }
}
