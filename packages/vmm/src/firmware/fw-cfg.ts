/**
 * QEMU's firmware configuration device (qemu docs/specs/fw_cfg.rst): how firmware learns what machine it is on. A
 * selector, a data port, and a DMA interface; items by number, and files by name through a directory item.
 */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'

/** Keys of items that are not files. */
export const FW_CFG = {
  SIGNATURE: 0x0000,
  ID: 0x0001,
  UUID: 0x0002,
  NB_CPUS: 0x0005,
  BOOT_MENU: 0x000e,
  MAX_CPUS: 0x000f,
  FILE_DIR: 0x0019,
  FILE_FIRST: 0x0020,
  /** x86: the timer interrupt reaches IOAPIC pin 2. */
  IRQ0_OVERRIDE: 0x8002,
} as const

/** The device's ports: selector and data, then (4 bytes behind) the DMA address. */
export const FW_CFG_PORTS = 12
const SELECTOR = 0
const DATA = 1
const DMA_HIGH = 4
const DMA_LOW = 8
const ID_TRADITIONAL_AND_DMA = 3

const DMA = { ERROR: 1, READ: 2, SKIP: 4, SELECT: 8, WRITE: 16 } as const
const DMA_ACCESS_BYTES = 16
const NAME_BYTES = 56
const DIRECTORY_ENTRY_BYTES = 64

/** A file's bytes, or, for one whose content depends on what firmware did before, its size and how to make it. */
export type FwCfgContent = Uint8Array | { readonly size: number; make(): Uint8Array }

interface Item {
  readonly content: FwCfgContent
  /** Told that the guest wrote to `content`, which is then bytes. Absent: the guest cannot. */
  readonly written?: (() => void) | undefined
}

export class FwCfg implements BusDevice {
  readonly name = 'fw-cfg'
  private readonly memory: GuestMemory
  private readonly items = new Map<number, Item>()
  private readonly files: { readonly name: string; readonly size: number; readonly key: number }[] = []
  private selected: Uint8Array = new Uint8Array(0)
  private key = 0xffff
  private position = 0
  private dmaHigh = 0

  constructor(memory: GuestMemory) {
    this.memory = memory
    this.addItem(FW_CFG.SIGNATURE, new TextEncoder().encode('QEMU'))
    this.addItem(FW_CFG.ID, Uint8Array.of(ID_TRADITIONAL_AND_DMA, 0, 0, 0))
  }

  addItem(key: number, content: FwCfgContent, written?: () => void): void {
    this.items.set(key, { content, written })
  }

  /**
   * Throws RangeError when the name does not fit. Before the guest starts. With `written` the guest may change the
   * bytes of `content`, by DMA, and each time `written` is called.
   */
  addFile(name: string, content: Uint8Array, written: () => void): void
  addFile(name: string, content: FwCfgContent): void
  addFile(name: string, content: FwCfgContent, written?: () => void): void {
    if (Buffer.byteLength(name) >= NAME_BYTES) throw new RangeError(`fw_cfg file name too long: ${name}`)
    const key = FW_CFG.FILE_FIRST + this.files.length
    const size = content instanceof Uint8Array ? content.length : content.size
    this.files.push({ name, size, key })
    this.addItem(key, content, written)
    this.addItem(FW_CFG.FILE_DIR, this.directory())
  }

  read(offset: number, size: number): number {
    // At an item's end it stays there, so that a snapshot has the same place.
    if (offset === DATA && size === 1)
      return this.position < this.selected.length ? this.selected[this.position++]! : 0
    // The DMA register shows that it is there: "QEMU CFG", big endian.
    if (offset === DMA_HIGH && size === 4) return 0x554d_4551
    if (offset === DMA_LOW && size === 4) return 0x4746_4320
    return 0
  }

  write(offset: number, size: number, value: number): void {
    if (offset === SELECTOR && size === 2) this.select(value)
    else if (offset === DMA_HIGH && size === 4) this.dmaHigh = swap32(value)
    else if (offset === DMA_LOW && size === 4) {
      const address = this.dmaHigh * 2 ** 32 + swap32(value)
      this.dmaHigh = 0
      this.transfer(address)
    }
  }

  save(): ChipsetState['fw-cfg'] {
    const { key, position, dmaHigh } = this
    return { key, position, dmaHigh }
  }

  restore(state: NonNullable<ChipsetState['fw-cfg']>): void {
    this.select(state.key)
    this.position = Math.min(state.position, this.selected.length)
    this.dmaHigh = state.dmaHigh
  }

  private select(key: number): void {
    this.key = key
    const content = this.items.get(key)?.content ?? new Uint8Array(0)
    this.selected = content instanceof Uint8Array ? content : content.make()
    this.position = 0
  }

  /** struct FWCfgDmaAccess, big endian: control, length, address. */
  private transfer(at: number): void {
    if (!this.memory.contains(at, DMA_ACCESS_BYTES)) return
    const access = new Uint8Array(DMA_ACCESS_BYTES)
    this.memory.read(at, access)
    const view = new DataView(access.buffer)
    const control = view.getUint32(0)
    const length = view.getUint32(4)
    const address = view.getUint32(8) * 2 ** 32 + view.getUint32(12)
    if (control & DMA.SELECT) this.select(control >>> 16)
    const done = this.move(control, address, length)
    const status = new Uint8Array(4)
    new DataView(status.buffer).setUint32(0, done ? 0 : DMA.ERROR)
    this.memory.write(at, status)
  }

  /** False: a part of the memory is not RAM, or the guest wants to write where it may not. */
  private move(control: number, address: number, length: number): boolean {
    if (control & DMA.READ) {
      if (length === 0) return true
      if (!this.memory.contains(address, length)) return false
      const bytes = this.selected.subarray(this.position, this.position + length)
      this.memory.write(address, bytes)
      // Behind an item's end there are zeroes.
      this.memory.fill(address + bytes.length, length - bytes.length, 0)
    } else if (control & DMA.WRITE) {
      const written = this.items.get(this.key)?.written
      const room = this.selected.length - this.position
      if (!written || length > room || (length > 0 && !this.memory.contains(address, length))) return false
      this.memory.read(address, this.selected.subarray(this.position, this.position + length))
      written()
    } else if (!(control & DMA.SKIP)) {
      return true
    }
    this.position = Math.min(this.position + length, this.selected.length)
    return true
  }

  /** struct FWCfgFiles: a big-endian count, then {size, key, reserved, name}. */
  private directory(): Uint8Array {
    const bytes = new Uint8Array(4 + this.files.length * DIRECTORY_ENTRY_BYTES)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, this.files.length)
    for (const [i, file] of this.files.entries()) {
      const at = 4 + i * DIRECTORY_ENTRY_BYTES
      view.setUint32(at, file.size)
      view.setUint16(at + 4, file.key)
      new TextEncoder().encodeInto(file.name, bytes.subarray(at + 8, at + 8 + NAME_BYTES))
    }
    return bytes
  }
}

const swap32 = (value: number): number =>
  (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0
