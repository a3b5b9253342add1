import { SystemError } from '../../sys/libc.ts'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import type { BarrierFile } from './barrier-file.ts'
import { corrupt } from './errors.ts'
import {
  BLOCK_ENTRIES,
  BLOCK_ENTRIES_PER_PAGE,
  CLUSTER,
  clustersOf,
  PAGE,
  PAGES_PER_CLUSTER,
  TWO_32,
} from './format.ts'
import type { Qcow2Header } from './header.ts'
import type { ImageFile } from './image-file.ts'
import type { Job, Steps } from './jobs.ts'
import { PageCache } from './page-cache.ts'

const ENOSPC = 28

/** Where the refcount blocks are, by their number; 0 for a block that does not exist. */
export function readRefcountTable(
  file: Pick<ImageFile, 'size' | 'read'>,
  header: Qcow2Header,
  name: string,
): Float64Array {
  const bytes = new Uint8Array(header.refcountTableClusters * CLUSTER)
  file.read(header.refcountTableOffset, bytes)
  const view = new DataView(bytes.buffer)
  const table = new Float64Array(bytes.length / 8)
  const end = file.size()
  for (let i = 0; i < table.length; i++) {
    const offset = view.getUint32(i * 8) * TWO_32 + view.getUint32(i * 8 + 4)
    if (offset % CLUSTER !== 0 || offset >= end)
      throw corrupt(name, `refcount table entry ${i} points to ${offset}`)
    table[i] = offset
  }
  return table
}

/**
 * Which host clusters are in use, and the allocator over it. Nothing here is written before `writeBack`:
 * a count that is too high on disk after a crash is a leak, which the next open repairs; one that is too low
 * never happens, because the owner writes counts before it writes what refers to the clusters, and frees
 * clusters only after nothing durable refers to them any more. One job at a time, the owner of the image's metadata.
 */
export class Refcounts {
  /** How many clusters the last `allocate` gave. */
  allocated = 0
  /** Whether they lie past everything ever written, so that they are known to read as zeroes. */
  fresh = false
  private readonly file: BarrierFile
  private readonly name: string
  private readonly tableOffset: number
  private readonly table: Float64Array
  /** A cluster of zeroes, then the new entries of `table` as they are on disk. */
  private readonly memory: NativeBuffer
  private readonly iov = new IovecList(1)
  private readonly cache: PageCache
  /** Clusters that hold metadata; shared with the map. A file whose counts call one of them free is damaged. */
  private readonly metadata: Set<number>
  /** No cluster below is free. */
  private hint = 0
  /** By number of refcount page: nothing free in it. Spares reading them again after a free low in the file. */
  private readonly full: Uint8Array
  /** The first cluster past everything ever written. */
  private freshFrom: number
  /** Blocks that the table on disk does not yet know. */
  private readonly unlinked: number[] = []

  constructor(
    file: BarrierFile,
    header: Qcow2Header,
    table: Float64Array,
    metadata: Set<number>,
    name: string,
    pages: number,
  ) {
    this.file = file
    this.name = name
    this.tableOffset = header.refcountTableOffset
    this.table = table
    this.memory = new NativeBuffer(CLUSTER + table.length * 8)
    this.metadata = metadata
    this.full = new Uint8Array(table.length * PAGES_PER_CLUSTER)
    this.freshFrom = clustersOf(file.size())
    this.cache = new PageCache(
      file,
      pages,
      () => {},
      // Counts may reach the disk at any time, see above.
      (job) => this.cache.writeBack(job),
    )
  }

  /** Bounds what an entry may point to: the first cluster that was never written. */
  get endCluster(): number {
    return this.freshFrom
  }

  /**
   * Takes up to `max` contiguous free clusters, at least one, the lowest there are; returns the first and sets
   * `allocated` and `fresh`. Throws ENOSPC when the refcount table has no room for more.
   */
  *allocate(job: Job, max: number): Steps<number> {
    let cluster = this.hint
    for (;;) {
      const page = Math.floor(cluster / BLOCK_ENTRIES_PER_PAGE)
      if (page >= this.full.length) throw new SystemError('qcow2 allocation', ENOSPC)
      if (this.full[page] === 0) {
        const found = yield* this.takeFrom(job, page, cluster % BLOCK_ENTRIES_PER_PAGE, max)
        if (found >= 0) return found
        this.full[page] = 1
      }
      cluster = (page + 1) * BLOCK_ENTRIES_PER_PAGE
      this.hint = cluster
    }
  }

  /** A zeroed cluster for a table; known as metadata from then on. */
  *allocateTable(job: Job): Steps<number> {
    const cluster = yield* this.allocate(job, 1)
    try {
      yield* this.zero(job, cluster)
    } catch (error) {
      yield* this.free(job, cluster, 1)
      throw error
    }
    this.metadata.add(cluster)
    return cluster
  }

  /** Gives clusters back. Nothing that is durable may refer to them. */
  *free(job: Job, start: number, count: number): Steps {
    for (let cluster = start; cluster < start + count; cluster++) {
      const at = yield* this.at(job, cluster)
      if (at < 0 || this.cache.view.getUint16(at) !== 1) {
        throw corrupt(this.name, `cluster ${cluster} is in use but not counted once`)
      }
      this.cache.view.setUint16(at, 0)
      this.cache.changed(at - (at % PAGE))
      this.full[Math.floor(cluster / BLOCK_ENTRIES_PER_PAGE)] = 0
    }
    this.hint = Math.min(this.hint, start)
  }

  /**
   * Writes all changes. A new block is made durable before the table points to it: until then it does not
   * count, afterwards it counts itself.
   */
  *writeBack(job: Job): Steps {
    yield* this.cache.writeBack(job)
    if (this.unlinked.length === 0) return
    yield* this.file.sync(job)
    const view = new DataView(this.memory.bytes.buffer)
    for (const block of this.unlinked) {
      const offset = this.table[block]!
      const at = CLUSTER + block * 8
      view.setUint32(at, Math.floor(offset / TWO_32))
      view.setUint32(at + 4, offset % TWO_32)
      this.iov.set(0, this.memory.address + at, 8)
      this.file.beginWrite(job, this.tableOffset + block * 8, this.iov, 1, 8)
    }
    yield
    this.unlinked.length = 0
  }

  /** Nothing may be under way. */
  close(): void {
    this.cache.close()
    this.memory.free()
  }

  /** Where in the cache the count of `cluster` is, or -1 when no block counts it. */
  private *at(job: Job, cluster: number): Steps<number> {
    const block = Math.floor(cluster / BLOCK_ENTRIES)
    const offset = this.table[block] ?? 0
    if (offset === 0) return -1
    const entry = cluster % BLOCK_ENTRIES
    const page = offset / PAGE + Math.floor(entry / BLOCK_ENTRIES_PER_PAGE)
    if (!this.cache.has(page)) yield* this.cache.load(job, page)
    return this.cache.at(page) + (entry % BLOCK_ENTRIES_PER_PAGE) * 2
  }

  private *takeFrom(job: Job, page: number, from: number, max: number): Steps<number> {
    const base = page * BLOCK_ENTRIES_PER_PAGE
    let at = yield* this.at(job, base)
    if (at < 0) {
      yield* this.addBlock(job, Math.floor(page / PAGES_PER_CLUSTER))
      at = yield* this.at(job, base)
    }
    const view = this.cache.view
    let first = from
    while (first < BLOCK_ENTRIES_PER_PAGE && view.getUint16(at + first * 2) !== 0) first++
    if (first === BLOCK_ENTRIES_PER_PAGE) return -1
    const start = base + first
    let count = 0
    while (
      count < max &&
      first + count < BLOCK_ENTRIES_PER_PAGE &&
      view.getUint16(at + (first + count) * 2) === 0
    ) {
      if (this.metadata.has(start + count)) {
        throw corrupt(this.name, `cluster ${start + count} holds a table but is counted as free`)
      }
      count++
    }
    for (let i = first; i < first + count; i++) view.setUint16(at + i * 2, 1)
    this.cache.changed(at)
    this.hint = start + count
    this.allocated = count
    this.fresh = start >= this.freshFrom
    this.freshFrom = Math.max(this.freshFrom, start + count)
    return start
  }

  /** Makes refcount block number `block`, in the first cluster it counts: nothing is there, or it would have been counted. */
  private *addBlock(job: Job, block: number): Steps {
    const cluster = block * BLOCK_ENTRIES
    if (this.metadata.has(cluster))
      throw corrupt(this.name, `cluster ${cluster} holds a table but is not counted`)
    yield* this.zero(job, cluster)
    this.table[block] = cluster * CLUSTER
    this.metadata.add(cluster)
    this.unlinked.push(block)
    this.freshFrom = Math.max(this.freshFrom, cluster + 1)
    const at = yield* this.at(job, cluster)
    this.cache.view.setUint16(at, 1)
    this.cache.changed(at - (at % PAGE))
  }

  private *zero(job: Job, cluster: number): Steps {
    this.iov.set(0, this.memory.address, CLUSTER)
    this.file.beginWrite(job, cluster * CLUSTER, this.iov, 1, CLUSTER)
    yield
  }
}
