import { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import type { BarrierFile } from './barrier-file.ts'
import { PAGE } from './format.ts'
import type { Job, Steps } from './jobs.ts'

const CLEAN = 0
const DIRTY = 1
/** Its page is on its way from the file. */
const LOADING = 2
/** Pages written at once. */
const BATCH = 64

/**
 * A bounded cache of metadata pages (4 KiB of the file at a multiple of 4 KiB), written back only when its
 * owner says so: the owner knows in which order pages may reach the disk, so dirty pages are never evicted.
 *
 * Pages live in one slab; `at(page)` answers where in `view` a page starts that `load` has fetched, and both hold until
 * the next `yield`. A page that is there costs no allocation.
 */
export class PageCache {
  readonly view: DataView
  private readonly file: BarrierFile
  private readonly slots: number
  private readonly slab: NativeBuffer
  /** The page of each slot, -1 for none. */
  private readonly pages: Float64Array
  private readonly state: Uint8Array
  private readonly referenced: Uint8Array
  private readonly index = new Map<number, number>()
  /** Pages on their way, and who else waits for them. */
  private readonly loading = new Map<number, Job[]>()
  private readonly check: (page: number, view: DataView, at: number) => void
  private readonly makeRoom: (job: Job) => Steps
  private readonly iov = new IovecList(1)
  private hand = 0
  private dirtyCount = 0

  /**
   * `check` throws when a page just read is not what it should be. `makeRoom` is called when every slot is
   * dirty; it has to write at least one page back.
   */
  constructor(
    file: BarrierFile,
    slots: number,
    check: (page: number, view: DataView, at: number) => void,
    makeRoom: (job: Job) => Steps,
  ) {
    this.file = file
    this.slots = slots
    // Pages never used take no memory.
    this.slab = new NativeBuffer(slots * PAGE)
    this.view = new DataView(this.slab.bytes.buffer)
    this.pages = new Float64Array(slots).fill(-1)
    this.state = new Uint8Array(slots)
    this.referenced = new Uint8Array(slots)
    this.check = check
    this.makeRoom = makeRoom
  }

  /** Three quarters of the slots are dirty: soon one more page makes its owner write them back. */
  get crowded(): boolean {
    return this.dirtyCount * 4 >= this.slots * 3
  }

  get hasDirty(): boolean {
    return this.dirtyCount > 0
  }

  has(page: number): boolean {
    return this.index.has(page)
  }

  at(page: number): number {
    const slot = this.index.get(page)!
    this.referenced[slot] = 1
    return slot * PAGE
  }

  /** Gets a page that is not there. */
  *load(job: Job, page: number): Steps {
    while (!this.index.has(page)) {
      const others = this.loading.get(page)
      const slot = others === undefined ? this.victim() : -1
      if (slot >= 0) yield* this.fetch(job, page, slot)
      else if (others === undefined && this.loading.size === 0) yield* this.makeRoom(job)
      else {
        // For the page itself, or for any that gives its slot free.
        const line = others ?? this.loading.values().next().value!
        line.push(job)
        job.expect()
        yield
      }
    }
  }

  /** The page at `at`, an answer of `at()`, was changed. */
  changed(at: number): void {
    const slot = at / PAGE
    if (this.state[slot] === DIRTY) return
    this.state[slot] = DIRTY
    this.dirtyCount++
  }

  /** Writes the dirty pages, in no particular order; nobody may change any meanwhile. One that fails stays dirty. */
  *writeBack(job: Job): Steps {
    const written: number[] = []
    for (let slot = 0; slot < this.slots; slot++) {
      if (this.state[slot] === DIRTY) {
        this.describe(slot)
        this.file.beginWrite(job, this.pages[slot]! * PAGE, this.iov, 1, PAGE)
        written.push(slot)
      }
      if (written.length < BATCH && slot < this.slots - 1) continue
      yield
      for (const done of written.splice(0)) {
        this.state[done] = CLEAN
        this.dirtyCount--
      }
    }
  }

  /** Nothing may be under way. */
  close(): void {
    this.slab.free()
  }

  private *fetch(job: Job, page: number, slot: number): Steps {
    const old = this.pages[slot]!
    if (old >= 0) this.index.delete(old)
    this.pages[slot] = -1
    this.state[slot] = LOADING
    const others: Job[] = []
    this.loading.set(page, others)
    try {
      this.describe(slot)
      this.file.beginRead(job, page * PAGE, this.iov, 1, PAGE)
      yield
      this.check(page, this.view, slot * PAGE)
      this.pages[slot] = page
      this.index.set(page, slot)
    } finally {
      this.state[slot] = CLEAN
      this.loading.delete(page)
      for (const other of others) other.done(0)
    }
  }

  private describe(slot: number): void {
    this.iov.set(0, this.slab.address + slot * PAGE, PAGE)
  }

  /** Second chance: a slot used since the hand last passed is spared once. -1 when all are dirty or on their way. */
  private victim(): number {
    for (let step = 0; step < 2 * this.slots + 1; step++) {
      const slot = this.hand
      this.hand = slot + 1 === this.slots ? 0 : slot + 1
      if (this.state[slot] !== CLEAN) continue
      if (this.referenced[slot] === 1) {
        this.referenced[slot] = 0
        continue
      }
      return slot
    }
    return -1
  }
}
