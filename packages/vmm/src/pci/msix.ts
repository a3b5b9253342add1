import type { MsixState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { InterruptController, MsiVector } from '../io/platform.ts'
import type { ConfigSpace } from './config-space.ts'
import { CAPABILITY_ID, MSIX } from './registers.ts'

/** Table and pending bits share one page of their own, so that nothing else is behind a trap of the guest's. */
export const MSIX_BAR_BYTES = 4096
const PBA_OFFSET = 2048
/** Word offsets in a table entry. */
const ENTRY = { ADDRESS_LOW: 0, ADDRESS_HIGH: 1, DATA: 2, CONTROL: 3 } as const
const WORDS = MSIX.ENTRY_BYTES / 4

/**
 * MSI-X of one function (PCI Local Bus 3.0, section 6.8.2): the table, the pending bits, and the masks of
 * vector and function. A vector that fires while masked becomes pending and is sent when the mask goes.
 */
export class Msix implements BusDevice {
  readonly name = 'msix'
  readonly count: number
  private readonly table: Uint32Array
  private readonly pending: Uint8Array
  /** What the interrupt controller was last told, so that an unmask without a change costs nothing. */
  private readonly routed: Uint32Array
  private readonly vectors: MsiVector[] = []
  private readonly config: ConfigSpace
  private readonly controlOffset: number
  private usable = false
  private functionMasked = false

  /** Adds the capability to `config`; the owner adds BAR `bar` with this as its device. */
  constructor(config: ConfigSpace, bar: number, count: number) {
    if (count < 1 || count > PBA_OFFSET / MSIX.ENTRY_BYTES) throw new RangeError(`${count} MSI-X vectors`)
    this.count = count
    this.config = config
    this.table = new Uint32Array(count * WORDS)
    this.routed = new Uint32Array(count * 3)
    this.pending = new Uint8Array(count)
    const size = count - 1
    const body = [size & 0xff, size >>> 8, bar, 0, 0, 0, bar, PBA_OFFSET >>> 8, 0, 0]
    this.controlOffset = config.addCapability(CAPABILITY_ID.MSIX, body, [0, 0xc0]) + 2
    config.hook({
      start: this.controlOffset,
      end: this.controlOffset + 2,
      written: () => this.controlWritten(),
    })
    this.reset()
  }

  attach(controller: InterruptController): void {
    for (let i = 0; i < this.count; i++) this.vectors.push(controller.allocateMsi())
  }

  get enabled(): boolean {
    return this.usable
  }

  /** Sends vector `index`, or remembers it while masked. Only while enabled. */
  fire(index: number): void {
    if (!this.usable || index >= this.count) return
    if (this.functionMasked || this.masked(index)) this.pending[index] = 1
    else this.vectors[index]?.fire()
  }

  /** As after power-on; the configuration space goes back by itself. */
  reset(): void {
    this.table.fill(0)
    this.pending.fill(0)
    for (let i = 0; i < this.count; i++) this.table[i * WORDS + ENTRY.CONTROL] = MSIX.VECTOR_MASKED
    this.usable = false
    this.functionMasked = false
  }

  save(): MsixState {
    const pending: number[] = []
    for (const [index, is] of this.pending.entries()) if (is) pending.push(index)
    return { table: [...this.table], pending }
  }

  /** After the configuration space. Throws RangeError when another number of vectors was saved. */
  restore(state: MsixState): void {
    if (state.table.length !== this.table.length || state.pending.some((index) => index >= this.count)) {
      throw new RangeError(`MSI-X of ${state.table.length / WORDS} vectors where ${this.count} are`)
    }
    this.table.set(state.table)
    for (const index of state.pending) this.pending[index] = 1
    this.controlWritten()
  }

  close(): void {
    for (const vector of this.vectors.splice(0)) vector.release()
  }

  read(offset: number, size: number): number {
    // Software reads whole dwords (or qwords, which arrive as two); narrower reads are answered all the same.
    const word = this.word(offset & ~3)
    const shifted = word >>> ((offset & 3) * 8)
    return size === 4 ? shifted : size === 2 ? shifted & 0xffff : shifted & 0xff
  }

  write(offset: number, size: number, value: number): void {
    // The result of any other width is undefined by the specification; the pending bits are read-only.
    if (size !== 4 || (offset & 3) !== 0 || offset >= this.count * MSIX.ENTRY_BYTES) return
    const at = offset >>> 2
    this.table[at] = (at & 3) === ENTRY.CONTROL ? value & MSIX.VECTOR_MASKED : value
    const index = at >>> 2
    if (!this.masked(index)) this.release(index)
  }

  private word(offset: number): number {
    if (offset < this.count * MSIX.ENTRY_BYTES) return this.table[offset >>> 2]!
    if (offset < PBA_OFFSET) return 0
    let bits = 0
    const first = (offset - PBA_OFFSET) * 8
    for (let i = 0; i < 32 && first + i < this.count; i++) if (this.pending[first + i]) bits |= 1 << i
    return bits >>> 0
  }

  private controlWritten(): void {
    const control = this.config.get(this.controlOffset, 2)
    this.usable = (control & MSIX.CONTROL_ENABLE) !== 0
    this.functionMasked = (control & MSIX.CONTROL_FUNCTION_MASK) !== 0
    if (!this.usable || this.functionMasked) return
    for (let i = 0; i < this.count; i++) if (!this.masked(i)) this.release(i)
  }

  private masked(index: number): boolean {
    return (this.table[index * WORDS + ENTRY.CONTROL]! & MSIX.VECTOR_MASKED) !== 0
  }

  /** The vector may be sent now: tell the controller its message, then send what was pending. */
  private release(index: number): void {
    if (!this.usable) return
    const entry = index * WORDS
    const low = this.table[entry + ENTRY.ADDRESS_LOW]!
    const high = this.table[entry + ENTRY.ADDRESS_HIGH]!
    const data = this.table[entry + ENTRY.DATA]!
    const known = index * 3
    if (this.routed[known] !== low || this.routed[known + 1] !== high || this.routed[known + 2] !== data) {
      this.routed[known] = low
      this.routed[known + 1] = high
      this.routed[known + 2] = data
      this.vectors[index]?.route(low, high, data)
    }
    if (this.pending[index] && !this.functionMasked) {
      this.pending[index] = 0
      this.vectors[index]?.fire()
    }
  }
}
