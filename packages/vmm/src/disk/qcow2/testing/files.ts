/** Files in memory for the tests, one of which remembers everything that happened to it. */
import fs from 'node:fs'
import type { IovecList } from '../../../virtio/chain.ts'
import { copyFrom, copyTo } from '../../host-memory.ts'
import { WaitingFile } from '../image-file.ts'
import type { Job } from '../jobs.ts'
import type { Random } from './support.ts'

const CHUNK = 65536

/** A sparse file in memory. `clone` shares what neither copy has written since. */
export class MemoryFile extends WaitingFile {
  readonly readOnly: boolean
  private chunks = new Map<number, Uint8Array>()
  private owned = new Set<number>()
  private length = 0

  constructor(readOnly = false) {
    super()
    this.readOnly = readOnly
  }

  static load(file: string, readOnly = false): MemoryFile {
    const memory = new MemoryFile(readOnly)
    const bytes = fs.readFileSync(file)
    memory.put(0, bytes)
    return memory
  }

  clone(): MemoryFile {
    const copy = new MemoryFile()
    copy.share(this)
    return copy
  }

  /** Becomes equal to `other`. */
  share(other: MemoryFile): void {
    this.chunks = new Map(other.chunks)
    this.length = other.length
    this.owned.clear()
    other.owned.clear()
  }

  size(): number {
    return this.length
  }

  read(offset: number, target: Uint8Array): void {
    this.get(offset, target)
  }

  private get(offset: number, target: Uint8Array): void {
    for (let done = 0; done < target.length; ) {
      const at = offset + done
      const into = at % CHUNK
      const count = Math.min(CHUNK - into, target.length - done)
      const chunk = this.chunks.get(Math.floor(at / CHUNK))
      if (chunk) target.set(chunk.subarray(into, into + count), done)
      else target.fill(0, done, done + count)
      done += count
    }
  }

  write(offset: number, source: Uint8Array): void {
    this.put(offset, source)
  }

  beginRead(_job: Job, offset: number, iov: IovecList, count: number, _bytes: number): void {
    let at = offset
    for (let i = 0; i < count; i++) {
      const piece = new Uint8Array(iov.length(i))
      this.get(at, piece)
      copyTo(iov.address(i), piece)
      at += piece.length
    }
  }

  beginWrite(_job: Job, offset: number, iov: IovecList, count: number, bytes: number): void {
    this.write(offset, gather(iov, count, bytes))
  }

  sync(): void {}

  punch(offset: number, length: number): void {
    const end = Math.min(this.length, offset + length)
    for (let at = offset; at < end; ) {
      const count = Math.min(CHUNK - (at % CHUNK), end - at)
      if (count === CHUNK) this.chunks.delete(at / CHUNK)
      else this.put(at, new Uint8Array(count))
      at += count
    }
  }

  close(): void {}

  put(offset: number, source: Uint8Array): void {
    for (let done = 0; done < source.length; ) {
      const at = offset + done
      const index = Math.floor(at / CHUNK)
      const into = at % CHUNK
      const count = Math.min(CHUNK - into, source.length - done)
      let chunk = this.chunks.get(index)
      if (chunk === undefined || !this.owned.has(index)) {
        chunk = chunk ? chunk.slice() : new Uint8Array(CHUNK)
        this.chunks.set(index, chunk)
        this.owned.add(index)
      }
      chunk.set(source.subarray(done, done + count), into)
      done += count
    }
    this.length = Math.max(this.length, offset + source.length)
  }

  /** Writes it to a real, sparse file. */
  save(file: string): void {
    const fd = fs.openSync(file, 'w')
    fs.ftruncateSync(fd, this.length)
    for (const [index, chunk] of this.chunks) {
      const at = index * CHUNK
      fs.writeSync(fd, chunk, 0, Math.min(CHUNK, this.length - at), at)
    }
    fs.closeSync(fd)
  }
}

type FileEvent =
  /** `ended`: so many events there were when it had ended. What began before a sync and ended later is not in it. */
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array; ended: number }
  | { readonly kind: 'punch'; readonly offset: number; readonly length: number }
  /** Durable is what had ended when there were `covers` events. */
  | { readonly kind: 'sync'; readonly covers: number }

export class Killed extends Error {}

/** A file in memory that remembers every change, so that a crash at any moment can be played afterwards. */
export class RecordingFile extends MemoryFile {
  readonly events: FileEvent[] = []
  /** When there are so many events, the process that works on the file dies of a `Killed`. */
  killAt = Number.POSITIVE_INFINITY
  /** Or when it asks for so many more syncs: the moment when most is at stake. */
  syncsToLive = Number.POSITIVE_INFINITY
  /** The file as of the last sync that was asked about: crash points must be asked for in rising order. */
  private readonly durable: MemoryFile
  private durableEvents = 0
  private covered = 0

  constructor(base: MemoryFile) {
    super()
    this.durable = base.clone()
    this.share(base)
  }

  override write(offset: number, source: Uint8Array): void {
    this.live()
    this.endWrite(this.startWrite(offset, source.slice()))
  }

  override punch(offset: number, length: number): void {
    this.live()
    this.events.push({ kind: 'punch', offset, length })
    super.punch(offset, length)
  }

  override sync(): void {
    this.live()
    if (--this.syncsToLive <= 0) throw new Killed()
    this.events.push({ kind: 'sync', covers: this.events.length })
  }

  /** A write that may be in the file from now on, and is when it has ended. */
  protected startWrite(offset: number, bytes: Uint8Array): FileEvent & { kind: 'write' } {
    const event = { kind: 'write' as const, offset, bytes, ended: Number.POSITIVE_INFINITY }
    this.events.push(event)
    return event
  }

  protected endWrite(event: FileEvent & { kind: 'write' }): void {
    event.ended = this.events.length
    this.put(event.offset, event.bytes)
  }

  private live(): void {
    if (this.events.length >= this.killAt) throw new Killed()
  }

  /** What is left when the process is killed before event `at`: what had ended, and of the rest what the kernel went on with. */
  killedAt(at: number, random: Random): MemoryFile {
    const { state } = this.durableAt(at)
    for (let i = this.durableEvents; i < at; i++) {
      const event = this.events[i]!
      if (event.kind !== 'write' || event.ended <= at || random.chance(50)) apply(state, event)
    }
    return state
  }

  /**
   * What may be left when the power fails before event `at`: everything that had ended when the last sync began, and of
   * the other changes any selection; of a write, any selection of its sectors.
   */
  powerLostAt(at: number, random: Random): MemoryFile {
    const { state, covered } = this.durableAt(at)
    const keep = [0, 20, 50, 80, 100][random.below(5)]!
    for (let i = this.durableEvents; i < at; i++) {
      const event = this.events[i]!
      if (isCovered(event, i, covered)) apply(state, event)
      else if (!random.chance(keep)) continue
      else if (event.kind !== 'write' || random.chance(70)) apply(state, event)
      else {
        for (let sector = 0; sector < event.bytes.length; sector += 512) {
          if (random.chance(50)) state.put(event.offset + sector, event.bytes.subarray(sector, sector + 512))
        }
      }
    }
    return state
  }

  private durableAt(at: number): { state: MemoryFile; covered: number } {
    let covered = this.covered
    for (let i = this.durableEvents; i < at; i++) {
      const event = this.events[i]!
      if (event.kind === 'sync') covered = Math.max(covered, event.covers)
    }
    this.covered = covered
    for (; this.durableEvents < at; this.durableEvents++) {
      const event = this.events[this.durableEvents]!
      if (!isCovered(event, this.durableEvents, covered)) break
      apply(this.durable, event)
    }
    return { state: this.durable.clone(), covered }
  }
}

const isCovered = (event: FileEvent, index: number, covered: number): boolean =>
  event.kind === 'write' ? event.ended <= covered : index < covered

/**
 * One whose reads, writes, syncs and holes end when it is told to, in any order: as a disk does it that works on many
 * requests at once.
 */
export class LateFile extends RecordingFile {
  private readonly random: Random
  private readonly pending: { readonly writes: boolean; end(): void }[] = []

  constructor(base: MemoryFile, random: Random) {
    super(base)
    this.random = random
  }

  get inFlight(): number {
    return this.pending.length
  }

  override get writesInFlight(): number {
    return this.pending.filter(({ writes }) => writes).length
  }

  // As the queue of a disk.
  start(): void {}
  submit(): boolean {
    return false
  }

  /** Something in flight ends. */
  wait(): void {
    this.pending.splice(this.random.below(this.pending.length), 1)[0]?.end()
  }

  override beginRead(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void {
    const own = iov.clone(count)
    this.later(job, () => super.beginRead(job, offset, own, count, bytes))
  }

  override beginWrite(job: Job, offset: number, iov: IovecList, count: number, bytes: number): void {
    const event = this.startWrite(offset, gather(iov, count, bytes))
    this.later(job, () => this.endWrite(event), true)
  }

  override beginSync(job: Job): void {
    const covers = this.events.length
    this.later(job, () => this.events.push({ kind: 'sync', covers }))
  }

  override beginPunch(job: Job, offset: number, length: number): void {
    this.later(job, () => this.punch(offset, length))
  }

  private later(job: Job, end: () => void, writes = false): void {
    job.expect()
    this.pending.push({
      writes,
      end() {
        end()
        job.done(0)
      },
    })
  }
}

function apply(file: MemoryFile, event: FileEvent): void {
  if (event.kind === 'write') file.put(event.offset, event.bytes)
  else if (event.kind === 'punch') file.punch(event.offset, event.length)
}

function gather(iov: IovecList, count: number, bytes: number): Uint8Array {
  const all = new Uint8Array(bytes)
  let at = 0
  for (let i = 0; i < count; i++) {
    copyFrom(iov.address(i), all.subarray(at, at + iov.length(i)))
    at += iov.length(i)
  }
  return all
}
