import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import type { BarrierFile } from './barrier-file.ts'
import { corrupt, unsupported } from './errors.ts'
import { CLUSTER, clustersOf, ENTRY, L2_ENTRIES, L2_ENTRIES_PER_PAGE, PAGE, TWO_32 } from './format.ts'
import type { Qcow2Header } from './header.ts'
import type { ImageFile } from './image-file.ts'
import type { Job, Steps } from './jobs.ts'
import { PageCache } from './page-cache.ts'
import type { Refcounts } from './refcounts.ts'

/** What a guest cluster is. */
export const KIND = {
  /** Not in this image: reads from the backing file, or as zeroes. */
  absent: 0,
  /** Reads as zeroes, no host cluster. */
  zero: 1,
  /** Reads as zeroes, and has a host cluster whose contents do not matter. */
  zeroAllocated: 2,
  data: 3,
} as const
export type Kind = (typeof KIND)[keyof typeof KIND]

/** Where the L2 tables are, by their number; 0 for a table that does not exist. */
export function readL1Table(
  file: Pick<ImageFile, 'size' | 'read'>,
  header: Qcow2Header,
  name: string,
): Float64Array {
  const bytes = new Uint8Array(header.l1Size * 8)
  file.read(header.l1Offset, bytes)
  const view = new DataView(bytes.buffer)
  const table = new Float64Array(header.l1Size)
  const end = file.size()
  for (let i = 0; i < table.length; i++) {
    const high = view.getUint32(i * 8)
    const low = view.getUint32(i * 8 + 4)
    if (high === 0 && low === 0) continue
    const offset = (high & ENTRY.offsetHigh) * TWO_32 + low
    if (
      (high & ~ENTRY.copied) >>> 0 > ENTRY.offsetHigh ||
      offset === 0 ||
      offset % CLUSTER !== 0 ||
      offset >= end
    ) {
      throw corrupt(name, `L1 entry ${i} points to ${offset}`)
    }
    if ((high & ENTRY.copied) === 0) throw unsupported(name, 'shares tables with internal snapshots')
    table[i] = offset
  }
  return table
}

/** Checks one L2 entry; `metadata` is what it may not point to, `end` the first cluster past the file. */
export function checkL2Entry(
  high: number,
  low: number,
  metadata: Set<number>,
  end: number,
  name: string,
): void {
  if ((high & ENTRY.compressed) !== 0) throw unsupported(name, 'holds compressed clusters')
  const offset = (high & ENTRY.offsetHigh) * TWO_32 + (low - (low & ENTRY.zero))
  if ((high & ENTRY.reservedHigh) !== 0 || offset % CLUSTER !== 0) {
    throw corrupt(name, `an L2 entry has reserved bits (0x${high.toString(16)} 0x${low.toString(16)})`)
  }
  const copied = (high & ENTRY.copied) !== 0
  if (offset === 0) {
    if (copied) throw corrupt(name, 'an L2 entry claims the header as its own')
    return
  }
  if (!copied) throw unsupported(name, 'shares clusters with internal snapshots')
  const cluster = offset / CLUSTER
  if (cluster >= end) throw corrupt(name, `an L2 entry points past the end of the file (${offset})`)
  if (metadata.has(cluster)) throw corrupt(name, `an L2 entry points to a table (${offset})`)
}

/**
 * Which host cluster holds which guest cluster: the L1 table, whole in memory, and a bounded cache of pages of
 * L2 tables. Changes stay in memory until the owner writes them in the order that a crash cannot hurt.
 *
 * `lookup` and `set` are for clusters whose page `load` has fetched, and hold until the next `yield`. Who changes
 * anything owns the image's metadata.
 */
export class ClusterMap {
  /** The answer of `lookup`: what the clusters are, where the first one lies in the file (bytes), how many alike follow. */
  kind: Kind = KIND.absent
  host = 0
  count = 0
  private readonly file: BarrierFile
  private readonly refcounts: Refcounts | null
  private readonly l1Offset: number
  private readonly l1: Float64Array
  /** The new entries of `l1` as they are on disk. */
  private readonly l1Entries: NativeBuffer
  private readonly iov = new IovecList(1)
  private readonly cache: PageCache
  /** Tables that the L1 table on disk does not yet point to, by their offset: its index in L1. */
  private readonly unlinked = new Map<number, number>()

  constructor(
    file: BarrierFile,
    header: Qcow2Header,
    l1: Float64Array,
    metadata: Set<number>,
    /** None for an image that is only read. */
    refcounts: Refcounts | null,
    name: string,
    pages: number,
    makeRoom: (job: Job) => Steps,
  ) {
    const fileEnd = clustersOf(file.size())
    this.file = file
    this.refcounts = refcounts
    this.l1Offset = header.l1Offset
    this.l1 = l1
    this.l1Entries = new NativeBuffer(l1.length * 8)
    this.cache = new PageCache(
      file,
      pages,
      (_page, view, at) => {
        const end = refcounts?.endCluster ?? fileEnd
        for (let i = at; i < at + PAGE; i += 8) {
          const high = view.getUint32(i)
          const low = view.getUint32(i + 4)
          if ((high | low) !== 0) checkL2Entry(high, low, metadata, end, name)
        }
      },
      makeRoom,
    )
  }

  /** Most of the cache waits to be written. */
  get crowded(): boolean {
    return this.cache.crowded
  }

  get hasChanges(): boolean {
    return this.cache.hasDirty || this.unlinked.size > 0
  }

  /** Whether `lookup` can answer for `cluster` at once. */
  has(cluster: number): boolean {
    const table = this.l1[Math.floor(cluster / L2_ENTRIES)]!
    return table === 0 || this.cache.has(pageOf(table, cluster))
  }

  *load(job: Job, cluster: number): Steps {
    const table = this.l1[Math.floor(cluster / L2_ENTRIES)]!
    if (table !== 0) yield* this.cache.load(job, pageOf(table, cluster))
  }

  /** Sets `kind`, `host` and `count` (1 to `max`) for the run of like clusters that starts at `cluster`. */
  lookup(cluster: number, max: number): void {
    const table = this.l1[Math.floor(cluster / L2_ENTRIES)]!
    const inTable = cluster % L2_ENTRIES
    if (table === 0) {
      this.kind = KIND.absent
      this.host = 0
      this.count = Math.min(max, L2_ENTRIES - inTable)
      return
    }
    const view = this.cache.view
    const inPage = inTable % L2_ENTRIES_PER_PAGE
    let at = this.cache.at(pageOf(table, cluster)) + inPage * 8
    const high = view.getUint32(at)
    const low = view.getUint32(at + 4)
    const host = (high & ENTRY.offsetHigh) * TWO_32 + (low - (low & ENTRY.zero))
    const zero = (low & ENTRY.zero) !== 0
    const kind = zero ? (host === 0 ? KIND.zero : KIND.zeroAllocated) : host === 0 ? KIND.absent : KIND.data
    const limit = Math.min(max, L2_ENTRIES_PER_PAGE - inPage)
    let count = 1
    let nextHost = host
    while (count < limit) {
      at += 8
      // Allocated clusters continue a run when they are neighbours in the file too.
      if (host !== 0) nextHost += CLUSTER
      const nextHigh = view.getUint32(at)
      const nextLow = view.getUint32(at + 4)
      if ((nextHigh & ENTRY.offsetHigh) * TWO_32 + nextLow !== nextHost + (zero ? ENTRY.zero : 0)) break
      count++
    }
    this.kind = kind
    this.host = host
    this.count = count
  }

  /** Clusters from `cluster` on whose entries share a page, so that `set` changes them all or none. */
  static inOnePage(cluster: number): number {
    return L2_ENTRIES_PER_PAGE - (cluster % L2_ENTRIES_PER_PAGE)
  }

  /** Makes sure that there is a table for `cluster`, and its page here. */
  *ensureTable(job: Job, cluster: number): Steps {
    const index = Math.floor(cluster / L2_ENTRIES)
    if (this.l1[index] === 0) {
      const offset = (yield* this.refcounts!.allocateTable(job)) * CLUSTER
      this.l1[index] = offset
      this.unlinked.set(offset, index)
    }
    if (!this.has(cluster)) yield* this.load(job, cluster)
  }

  /** Sets the entries of `count` clusters of one page; with `host` 0 to no host cluster, else to neighbours from there on. */
  set(cluster: number, count: number, host: number, zero: boolean): void {
    const page = this.cache.at(pageOf(this.l1[Math.floor(cluster / L2_ENTRIES)]!, cluster))
    const view = this.cache.view
    let at = page + (cluster % L2_ENTRIES_PER_PAGE) * 8
    for (let i = 0; i < count; i++, at += 8) {
      const offset = host === 0 ? 0 : host + i * CLUSTER
      view.setUint32(at, (Math.floor(offset / TWO_32) | (host === 0 ? 0 : ENTRY.copied)) >>> 0)
      view.setUint32(at + 4, (offset % TWO_32) + (zero ? ENTRY.zero : 0))
    }
    this.cache.changed(page)
  }

  /**
   * Writes all changes, in any order: an entry that gets to the disk before its table has only a table of zeroes to
   * show, as before. Only after everything they refer to is durable: data, counts, and the zeroes of new tables.
   */
  *writeBack(job: Job): Steps {
    yield* this.cache.writeBack(job)
    if (this.unlinked.size === 0) return
    const view = new DataView(this.l1Entries.bytes.buffer)
    for (const [offset, index] of this.unlinked) {
      view.setUint32(index * 8, (Math.floor(offset / TWO_32) | ENTRY.copied) >>> 0)
      view.setUint32(index * 8 + 4, offset % TWO_32)
      this.iov.set(0, this.l1Entries.address + index * 8, 8)
      this.file.beginWrite(job, this.l1Offset + index * 8, this.iov, 1, 8)
    }
    yield
    this.unlinked.clear()
  }

  /** Nothing may be under way. */
  close(): void {
    this.cache.close()
    this.l1Entries.free()
  }
}

/** The page of the file that has the entry of `cluster`, which is in `table`. */
function pageOf(table: number, cluster: number): number {
  return table / PAGE + Math.floor((cluster % L2_ENTRIES) / L2_ENTRIES_PER_PAGE)
}
