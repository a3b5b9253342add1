/** What the agent remembers of one VM, in memory and on the disk. */
import type { VmRecord, VmStore } from './vm-store.ts'

export class KeptRecord {
  readonly #store: Pick<VmStore, 'writeRecord'>
  readonly #vmUid: string
  #value: VmRecord
  #written: Promise<void> = Promise.resolve()

  constructor(store: Pick<VmStore, 'writeRecord'>, vmUid: string, value: VmRecord) {
    this.#store = store
    this.#vmUid = vmUid
    this.#value = value
  }

  get value(): VmRecord {
    return this.#value
  }

  /** Resolves when nothing of it is on its way to the disk any more, written or not. */
  get atRest(): Promise<void> {
    return this.#written.catch(() => undefined)
  }

  /** Assigned before the write, and written in turns: two changes at once must not undo each other. */
  async change(change: Partial<VmRecord>): Promise<void> {
    this.#value = { ...this.#value, ...change }
    this.#written = this.atRest.then(() => this.#store.writeRecord(this.#vmUid, this.#value))
    await this.#written
  }
}
