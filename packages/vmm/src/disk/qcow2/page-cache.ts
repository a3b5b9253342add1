import { PAGE } from './format.ts'
import type { ImageFile } from './image-file.ts'

/**
 * A bounded cache of metadata pages (4 KiB of the file at a multiple of 4 KiB), written back only when its
 * owner says so: the owner knows in which order pages may reach the disk, so dirty pages are never evicted.
 *
 * Pages live in one slab; `at(page)` answers where in `view` the page starts. That answer holds until the next
 * call of `at`. A hit allocates nothing.
 */
export class PageCache {
  readonly view: DataView
  private readonly file: ImageFile
  private readonly slots: number
  private readonly slab: Uint8Array
  /** The page of each slot, -1 for none. */
  private readonly pages: Float64Array
  private readonly dirty: Uint8Array
  private readonly referenced: Uint8Array
  private readonly index = new Map<number, number>()
  private readonly check: (page: number, view: DataView, at: number) => void
  private readonly makeRoom: () => void
  private hand = 0
  private dirtyCount = 0

  /**
   * `check` throws when a page just read is not what it should be. `makeRoom` is called when every slot is
   * dirty; it has to write at least one page back.
   */
  constructor(
    file: ImageFile,
    slots: number,
    check: (page: number, view: DataView, at: number) => void,
    makeRoom: () => void,
  ) {
    this.file = file
    this.slots = slots
    this.slab = new Uint8Array(slots * PAGE)
    this.view = new DataView(this.slab.buffer)
    this.pages = new Float64Array(slots).fill(-1)
    this.dirty = new Uint8Array(slots)
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

  at(page: number): number {
    let slot = this.index.get(page)
    if (slot === undefined) slot = this.load(page)
    this.referenced[slot] = 1
    return slot * PAGE
  }

  /** The page at `at`, an answer of `at()`, was changed. */
  changed(at: number): void {
    const slot = at / PAGE
    if (this.dirty[slot] === 1) return
    this.dirty[slot] = 1
    this.dirtyCount++
  }

  /** Writes the dirty pages, in no particular order. One that fails stays dirty. */
  writeBack(): void {
    if (this.dirtyCount === 0) return
    for (let slot = 0; slot < this.slots && this.dirtyCount > 0; slot++) {
      if (this.dirty[slot] === 0) continue
      this.file.write(this.pages[slot]! * PAGE, this.slab.subarray(slot * PAGE, (slot + 1) * PAGE))
      this.dirty[slot] = 0
      this.dirtyCount--
    }
  }

  private load(page: number): number {
    if (this.dirtyCount === this.slots) this.makeRoom()
    const slot = this.victim()
    const old = this.pages[slot]!
    if (old >= 0) this.index.delete(old)
    this.pages[slot] = -1
    const at = slot * PAGE
    this.file.read(page * PAGE, this.slab.subarray(at, at + PAGE))
    this.check(page, this.view, at)
    this.pages[slot] = page
    this.index.set(page, slot)
    return slot
  }

  /** Second chance: a slot used since the hand last passed is spared once. */
  private victim(): number {
    for (let step = 0; step < 2 * this.slots + 1; step++) {
      const slot = this.hand
      this.hand = slot + 1 === this.slots ? 0 : slot + 1
      if (this.dirty[slot] === 1) continue
      if (this.referenced[slot] === 1) {
        this.referenced[slot] = 0
        continue
      }
      return slot
    }
    throw new Error('every page of the metadata cache is dirty')
  }
}
