import { IovecList } from '../../virtio/chain.ts'
import { type Backing, type ReadSink, readNow, zeroIovecs } from './backing.ts'
import { BarrierFile } from './barrier-file.ts'
import { ClusterMap, KIND, readL1Table } from './cluster-map.ts'
import { Qcow2Error } from './errors.ts'
import { CLUSTER, clustersOf, HEADER_AT, INCOMPATIBLE } from './format.ts'
import type { Qcow2Header } from './header.ts'
import { HostBuffer } from './host-memory.ts'
import type { ImageFile } from './image-file.ts'
import { IovecCursor } from './iovec-cursor.ts'
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
 * Data goes to the file at once, metadata only in `commit`. Freed clusters are given to nobody before the
 * tables that referred to them are durable without the reference. The dirty bit is durable before the first
 * change, and tells the next open to look for leaks.
 *
 * All calls are synchronous (`flushSteps` lets its caller wait for the disk elsewhere); a failed system call throws its SystemError, damage found throws Qcow2Error, and
 * the image stays usable, except after a failed sync: what the kernel then dropped is unknown, so nothing may
 * be called durable any more and writing ends.
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
  private readonly cursor = new IovecCursor()
  private readonly iov = new IovecList(64)
  /** Zeroes, then room for what is copied around a write into a new cluster. Made when first needed. */
  private scratch: HostBuffer | undefined
  /** The dirty bit is set on disk. */
  private markedDirty: boolean
  private readonly freedStart: number[] = []
  private readonly freedCount: number[] = []
  private closed = false

  /**
   * Takes over `imageFile`, whose header was parsed, and `options.backing`. A dirty image has to be repaired before
   * it is opened for writing. Throws Qcow2Error when its tables are damaged.
   */
  constructor(imageFile: ImageFile, header: Qcow2Header, options: ImageOptions) {
    const file = new BarrierFile(imageFile)
    this.file = file
    this.name = options.name
    this.size = header.size
    this.readOnly = file.readOnly
    this.backing = options.backing
    this.markedDirty = header.dirty
    const l1 = readL1Table(file, header, options.name)
    const table = readRefcountTable(file, header, options.name)
    const metadata = metadataClusters(header, l1, table, options.name)
    this.refcounts = file.readOnly
      ? null
      : new Refcounts(file, header, table, metadata, options.name, options.refcountPages ?? 128)
    this.map = new ClusterMap(
      file,
      header,
      l1,
      metadata,
      this.refcounts,
      options.name,
      options.l2Pages ?? 1024,
      () => this.commit(false),
    )
    if (header.autoclear && !file.readOnly) file.write(HEADER_AT.autoclear, new Uint8Array(8))
  }

  /** Reads into the `count` iovecs, which are `bytes` together, from byte `offset` of the disk. */
  readv(offset: number, iov: IovecList, count: number, bytes: number): void {
    this.locate(offset, iov, count, bytes, readNow)
  }

  /**
   * Finds what `readv` would read and leaves the reading of data to `sink`. A cluster found so stays where it is as long
   * as nothing is discarded or zeroed.
   */
  locate(offset: number, iov: IovecList, _count: number, bytes: number, sink: ReadSink): void {
    this.checkRange(offset, bytes)
    const { cursor, map, file } = this
    cursor.reset(iov)
    let at = offset
    let rest = bytes
    while (rest > 0) {
      const cluster = Math.floor(at / CLUSTER)
      const into = at - cluster * CLUSTER
      map.lookup(cluster, clustersOf(into + rest))
      const run = Math.min(rest, map.count * CLUSTER - into)
      const entries = cursor.take(run, this.iov, 0)
      if (map.kind === KIND.data) sink.data(file, map.host + into, this.iov, entries, run)
      else if (map.kind === KIND.absent && this.backing !== null && at < this.backing.size) {
        this.locateInBacking(this.backing, at, entries, run, sink)
      } else zeroIovecs(this.iov, entries)
      at += run
      rest -= run
    }
  }

  /** Writes the iovecs to byte `offset` of the disk. Durable after the next `flush`. */
  writev(offset: number, iov: IovecList, _count: number, bytes: number): void {
    this.checkWritable()
    this.checkRange(offset, bytes)
    const { cursor, map } = this
    cursor.reset(iov)
    let at = offset
    let rest = bytes
    while (rest > 0) {
      const cluster = Math.floor(at / CLUSTER)
      const into = at - cluster * CLUSTER
      map.lookup(cluster, clustersOf(into + rest))
      let run = Math.min(rest, map.count * CLUSTER - into)
      if (map.kind === KIND.data) {
        const entries = cursor.take(run, this.iov, 0)
        this.file.writev(map.host + into, this.iov, entries, run)
      } else if (map.kind === KIND.zeroAllocated) {
        run = Math.min(run, CLUSTER - into)
        this.fillClusters(cluster, 1, map.host, false, into, run, false)
        this.map.set(cluster, 1, map.host, false)
      } else run = this.writeNew(cluster, into, run, map.kind === KIND.absent)
      at += run
      rest -= run
    }
  }

  /** Everything written before is durable when this returns. */
  flush(): void {
    for (const _ of this.flushSteps()) this.file.sync()
  }

  /**
   * As `flush`, but stops wherever the file has to be synced before it may go on: whoever runs it sees to that with
   * `syncNeeded` and `synced`, and lets nothing else use the image until it is at its end.
   */
  *flushSteps(): Generator<void, void, void> {
    if (this.readOnly) return
    this.checkWritable()
    yield* this.commitSteps(true)
  }

  /**
   * Whether so much metadata waits to be written that a write or a discard may soon have to write and sync it before it
   * can go on, which holds the thread.
   */
  get commitDue(): boolean {
    return this.map.crowded || this.freedStart.length >= MAX_FREED / 2
  }

  /** As `flushSteps`, of what has to be written to make room: without a sync at the end where nothing was freed. */
  *makeRoomSteps(): Generator<void, void, void> {
    this.checkWritable()
    yield* this.commitSteps(false)
  }

  /** Whether anything was written since the last sync. Throws what an earlier one failed with. */
  syncNeeded(): boolean {
    return this.file.syncNeeded()
  }

  /** The file was synced by its owner, or that failed with `errno`: then writing has ended. */
  synced(errno: number): void {
    this.file.synced(errno)
  }

  /** The range need not be kept: whole clusters in it read as zeroes afterwards and give their space back, the rest is left alone. */
  discard(offset: number, length: number): void {
    this.checkWritable()
    this.checkRange(offset, length)
    const first = clustersOf(offset)
    const end =
      offset + length === this.size ? clustersOf(this.size) : Math.floor((offset + length) / CLUSTER)
    this.zeroClusters(first, end, true)
  }

  /** The range reads as zeroes afterwards. Its space is given back only with `mayUnmap`; nothing is written where whole clusters can be marked. */
  writeZeroes(offset: number, length: number, mayUnmap: boolean): void {
    this.checkWritable()
    this.checkRange(offset, length)
    if (length === 0) return
    const end = offset + length
    const first = clustersOf(offset)
    const last = end === this.size ? clustersOf(this.size) : Math.floor(end / CLUSTER)
    if (first > last) {
      this.zeroPart(offset, length)
      return
    }
    if (offset < first * CLUSTER) this.zeroPart(offset, Math.min(end, first * CLUSTER) - offset)
    this.zeroClusters(first, last, mayUnmap)
    if (last * CLUSTER < end) this.zeroPart(last * CLUSTER, end - last * CLUSTER)
  }

  /** Makes everything durable, marks the image as closed properly and closes it and its backing files. */
  close(): void {
    try {
      if (!this.readOnly && !this.closed) {
        this.commit(true)
        if (this.markedDirty) {
          // The counts of what the commit freed.
          this.refcounts!.writeBack()
          this.file.sync()
          this.writeFeatures(0)
          this.file.sync()
        }
      }
    } finally {
      this.abandon()
    }
  }

  /** Closes the files and writes nothing any more, as if the process had died. */
  abandon(): void {
    this.closed = true
    this.scratch?.close()
    this.scratch = undefined
    this.file.close()
    this.backing?.close()
  }

  /** Part of a run that is in the backing file, at least in part. `this.iov` describes it. */
  private locateInBacking(
    backing: Backing,
    at: number,
    entries: number,
    bytes: number,
    sink: ReadSink,
  ): void {
    const have = Math.min(bytes, backing.size - at)
    if (have === bytes) {
      backing.locate(at, this.iov, entries, bytes, sink)
      return
    }
    // Rare (the backing file is shorter than the disk), so two lists may be made here.
    const cursor = new IovecCursor()
    cursor.reset(this.iov)
    const inside = new IovecList(entries)
    const outside = new IovecList(entries)
    const insideEntries = cursor.take(have, inside, 0)
    const outsideEntries = cursor.take(bytes - have, outside, 0)
    backing.locate(at, inside, insideEntries, have, sink)
    zeroIovecs(outside, outsideEntries)
  }

  /** Writes up to `bytes` bytes of the cursor to clusters that are new, from byte `into` of the first on. Returns how many. */
  private writeNew(cluster: number, into: number, bytes: number, overBacking: boolean): number {
    const refcounts = this.refcounts!
    this.markDirty()
    this.map.ensureTable(cluster)
    const wanted = Math.min(clustersOf(into + bytes), ClusterMap.inOnePage(cluster), MAX_RUN)
    const start = refcounts.allocate(wanted)
    const count = refcounts.allocated
    const run = Math.min(bytes, count * CLUSTER - into)
    try {
      this.fillClusters(cluster, count, start * CLUSTER, refcounts.fresh, into, run, overBacking)
      this.map.set(cluster, count, start * CLUSTER, false)
    } catch (error) {
      refcounts.free(start, count)
      throw error
    }
    return run
  }

  /**
   * Writes host clusters whose contents do not count yet: `bytes` bytes of the cursor from `into` on, and around
   * them what the guest reads there now. `blank` says that the clusters are known to read as zeroes.
   */
  private fillClusters(
    cluster: number,
    count: number,
    host: number,
    blank: boolean,
    into: number,
    bytes: number,
    overBacking: boolean,
  ): void {
    const tail = count * CLUSTER - into - bytes
    const guest = cluster * CLUSTER
    let entries = 0
    let from = host + into
    let length = bytes
    if (into > 0 && this.prepareFill(guest, into, 0, blank, overBacking)) {
      this.iov.set(entries++, this.fillAddress, into)
      from = host
      length += into
    }
    entries = this.cursor.take(bytes, this.iov, entries)
    if (tail > 0 && this.prepareFill(guest + into + bytes, tail, CLUSTER, blank, overBacking)) {
      this.iov.set(entries++, this.fillAddress, tail)
      length += tail
    }
    this.file.writev(from, this.iov, entries, length)
  }

  /** Where the last `prepareFill` put its bytes. */
  private fillAddress = 0

  /**
   * Gets ready what surrounds a write: `length` bytes at `at` of the disk, less than a cluster. Returns false
   * when they need not be written. `slot` is where in the copy area they go.
   */
  private prepareFill(
    at: number,
    length: number,
    slot: number,
    blank: boolean,
    overBacking: boolean,
  ): boolean {
    this.scratch ??= new HostBuffer(3 * CLUSTER)
    const { address, bytes } = this.scratch
    const backing = this.backing
    if (overBacking && backing !== null && at < backing.size) {
      const copy = CLUSTER + slot
      // What lies past the disk's end stays zero: the disk may grow.
      const have = Math.min(length, backing.size - at, this.size - at)
      fillIov.set(0, address + copy, have)
      backing.locate(at, fillIov, 1, have, readNow)
      bytes.fill(0, copy + have, copy + length)
      this.fillAddress = address + copy
      // A base image is mostly holes; copying them as zeroes would take space for nothing.
      return !(blank && Buffer.compare(bytes.subarray(copy, copy + length), bytes.subarray(0, length)) === 0)
    }
    this.fillAddress = address
    return !blank
  }

  private zeroClusters(first: number, end: number, mayUnmap: boolean): void {
    const { map } = this
    let cluster = first
    while (cluster < end) {
      map.lookup(cluster, Math.min(end - cluster, ClusterMap.inOnePage(cluster)))
      const { kind, host, count } = map
      // Where the backing file has something, absent does not read as zeroes.
      const covered = this.backing !== null && cluster * CLUSTER < this.backing.size
      if (kind === KIND.data || (kind === KIND.zeroAllocated && mayUnmap)) {
        this.markDirty()
        map.set(cluster, count, mayUnmap ? 0 : host, covered || !mayUnmap)
        if (mayUnmap) this.release(host / CLUSTER, count)
      } else if (kind === KIND.absent && covered) {
        this.markDirty()
        map.ensureTable(cluster)
        map.set(cluster, count, 0, true)
      }
      cluster += count
    }
  }

  /** Writes zeroes to a part of one cluster, if it does not read as such anyway. */
  private zeroPart(at: number, length: number): void {
    const { map } = this
    map.lookup(Math.floor(at / CLUSTER), 1)
    const covered = map.kind === KIND.absent && this.backing !== null && at < this.backing.size
    if (map.kind !== KIND.data && !covered) return
    this.scratch ??= new HostBuffer(3 * CLUSTER)
    const iov = new IovecList(1)
    iov.set(0, this.scratch.address, length)
    this.writev(at, iov, 1, length)
  }

  private release(start: number, count: number): void {
    const last = this.freedStart.length - 1
    if (last >= 0 && this.freedStart[last]! + this.freedCount[last]! === start) {
      this.freedCount[last]! += count
      return
    }
    this.freedStart.push(start)
    this.freedCount.push(count)
    if (this.freedStart.length >= MAX_FREED) this.commit(false)
  }

  /** Writes the metadata in the order that keeps the promise of this class; with `durable` all of it is durable afterwards. */
  private commit(durable: boolean): void {
    for (const _ of this.commitSteps(durable)) this.file.sync()
  }

  /** Yields where the file must be synced before the next step. */
  private *commitSteps(durable: boolean): Generator<void, void, void> {
    const { map, file } = this
    const refcounts = this.refcounts!
    if (map.hasChanges) {
      refcounts.writeBack()
      yield
      map.writeBack()
    }
    if (durable || this.freedStart.length > 0) yield
    for (let i = this.freedStart.length - 1; i >= 0; i--) {
      const start = this.freedStart.pop()!
      const count = this.freedCount.pop()!
      refcounts.free(start, count)
      file.punch(start * CLUSTER, count * CLUSTER)
    }
  }

  private markDirty(): void {
    if (this.markedDirty) return
    this.writeFeatures(INCOMPATIBLE.dirty)
    this.file.sync()
    this.markedDirty = true
  }

  private writeFeatures(low: number): void {
    const bits = new Uint8Array(8)
    bits[7] = low
    this.file.write(HEADER_AT.incompatible, bits)
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

/** Only used within one call, by whichever image it is. */
const fillIov = new IovecList(1)
