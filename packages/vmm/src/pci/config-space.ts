import type { BusDevice } from '../bus/device.ts'
import { COMMAND, PCI, STATUS_BITS } from './registers.ts'

const SIZE = 256
const BARS = 6
const MULTIFUNCTION = 0x80

/** What the header says of a function. */
export interface PciIdentity {
  readonly vendor: number
  readonly device: number
  readonly revision: number
  /** Base class, subclass, programming interface: 0xBBSSPP. */
  readonly classCode: number
  readonly subsystemVendor: number
  readonly subsystem: number
  /** Whether the function has INTA#. */
  readonly interruptPin: boolean
}

/** A base address register and what answers behind it. */
export interface Bar {
  readonly index: number
  readonly kind: 'memory32' | 'io'
  /** A power of two; at least 16 bytes of memory or 4 of ports. */
  readonly size: number
  readonly device: BusDevice
  /** Where it lies on a bus without firmware, if that is no matter of chance. */
  readonly at?: number
  /** Told whenever the guest sees it at another address, or (undefined) nowhere. */
  moved?(address: number | undefined): void
}

/** The bus as a function's decoder sees it. */
export interface BarMapper {
  /** False when the range is not the bus's to give, or taken: the BAR then answers nowhere. */
  map(bar: Bar, address: number): boolean
  unmap(bar: Bar, address: number): void
}

interface Hook {
  readonly start: number
  readonly end: number
  readonly reads?: (offset: number, size: number) => number
  readonly written?: (offset: number, size: number) => void
}

/**
 * The 256 bytes of configuration space of one function: a value and a mask of writable bits per byte, so that
 * sizing a BAR (write all ones, read back) needs no case of its own. Address decoding follows the command
 * register and the BARs at every write.
 */
export class ConfigSpace {
  private readonly bytes = new Uint8Array(SIZE)
  private readonly writable = new Uint8Array(SIZE)
  private readonly initial = new Uint8Array(SIZE)
  private readonly view = new DataView(this.bytes.buffer)
  private readonly bars: (Bar | undefined)[] = new Array(BARS).fill(undefined)
  private readonly mappedAt: (number | undefined)[] = new Array(BARS).fill(undefined)
  private readonly hooks: Hook[] = []
  private mapper: BarMapper | undefined
  private nextCapability: number = PCI.HEADER_END
  private lastCapabilityLink: number = PCI.CAPABILITIES_POINTER
  /** Called after a write that changed the command register (INTx disable, bus master). */
  commandChanged: (command: number) => void = () => {}

  constructor(identity: PciIdentity) {
    this.set16(PCI.VENDOR_ID, identity.vendor)
    this.set16(PCI.DEVICE_ID, identity.device)
    this.bytes[PCI.REVISION_ID] = identity.revision
    this.set16(PCI.CLASS_CODE, identity.classCode & 0xffff)
    this.bytes[PCI.CLASS_CODE + 2] = identity.classCode >>> 16
    this.set16(PCI.SUBSYSTEM_VENDOR_ID, identity.subsystemVendor)
    this.set16(PCI.SUBSYSTEM_ID, identity.subsystem)
    this.bytes[PCI.INTERRUPT_PIN] = identity.interruptPin ? 1 : 0
    const command = Object.values(COMMAND).reduce((all, bit) => all | bit, 0)
    this.allowWrites(PCI.COMMAND, [command & 0xff, command >>> 8])
    this.allowWrites(PCI.CACHE_LINE_SIZE, [0xff, 0xff])
    this.allowWrites(PCI.INTERRUPT_LINE, [0xff])
  }

  get command(): number {
    return this.view.getUint16(PCI.COMMAND, true)
  }

  get busMaster(): boolean {
    return (this.command & COMMAND.BUS_MASTER) !== 0
  }

  addBar(bar: Bar): void {
    const smallest = bar.kind === 'io' ? 4 : 16
    if (bar.size < smallest || (bar.size & (bar.size - 1)) !== 0) throw new RangeError(`BAR size ${bar.size}`)
    this.bars[bar.index] = bar
    const at = PCI.BAR0 + bar.index * 4
    const mask = ~(bar.size - 1) >>> 0
    this.allowWrites(at, [mask & 0xf0, (mask >>> 8) & 0xff, (mask >>> 16) & 0xff, mask >>> 24])
    if (bar.kind === 'io') {
      this.bytes[at] = 1
      this.writable[at] = mask & 0xfc
    }
  }

  /**
   * Appends a capability: its id and link are added to `body` (which begins after them). `writable` masks the
   * body's bits. Returns the offset of the capability.
   */
  addCapability(id: number, body: readonly number[], writable: readonly number[] = []): number {
    const offset = this.nextCapability
    if (offset + 2 + body.length > SIZE) throw new RangeError('no room for another capability')
    this.bytes[this.lastCapabilityLink] = offset
    this.bytes[offset] = id
    this.bytes.set(body, offset + 2)
    this.allowWrites(offset + 2, writable)
    this.lastCapabilityLink = offset + 1
    this.nextCapability = (offset + 2 + body.length + 3) & ~3
    this.set16(PCI.STATUS, this.view.getUint16(PCI.STATUS, true) | STATUS_BITS.CAPABILITIES_LIST)
    return offset
  }

  /** A function's own register outside the header: its bytes, and which of their bits the guest may write. */
  addRegister(offset: number, bytes: readonly number[], writable: readonly number[]): void {
    this.bytes.set(bytes, offset)
    this.allowWrites(offset, writable)
  }

  /** Lets a function answer reads of, or act on writes to, [start, end). */
  hook(hook: Hook): void {
    this.hooks.push(hook)
  }

  barsInUse(): readonly Bar[] {
    return this.bars.filter((bar) => bar !== undefined)
  }

  /** Connects the decoder and takes the present contents as those after a reset. */
  connect(mapper: BarMapper): void {
    this.mapper = mapper
    this.initial.set(this.bytes)
    this.decode()
  }

  /** The slot has more functions than this one, its first (6.2.1, Header Type). */
  setMultifunction(): void {
    this.bytes[PCI.HEADER_TYPE] = MULTIFUNCTION
    this.initial[PCI.HEADER_TYPE] = MULTIFUNCTION
  }

  /** Sets what firmware would have set before the guest starts. */
  preset(offset: number, size: 1 | 2 | 4, value: number): void {
    if (size === 1) this.bytes[offset] = value
    else if (size === 2) this.set16(offset, value)
    else this.view.setUint32(offset, this.view.getUint32(offset, true) | value, true)
  }

  reset(): void {
    this.bytes.set(this.initial)
    this.decode()
    this.commandChanged(this.command)
  }

  /** The bytes as they are now. */
  save(): Uint8Array {
    return this.bytes.slice()
  }

  /**
   * Takes what a driver had written over from `saved`; everything else is this function's own and must be the same
   * there. Returns false, and changes nothing, when it is not: another function was saved.
   */
  restore(saved: Uint8Array): boolean {
    for (let i = 0; i < SIZE; i++) {
      // What a window shows follows what is behind it, and INTx status follows the device.
      const volatile = i === PCI.STATUS || this.hooks.some((h) => h.reads && i >= h.start && i < h.end)
      if (!volatile && ((saved[i]! ^ this.initial[i]!) & ~this.writable[i]!) !== 0) return false
    }
    for (let i = 0; i < SIZE; i++) {
      const mask = this.writable[i]!
      this.bytes[i] = (this.bytes[i]! & ~mask) | (saved[i]! & mask)
    }
    this.decode()
    this.commandChanged(this.command)
    for (const hook of this.hooks) if (!hook.reads) hook.written?.(hook.start, hook.end - hook.start)
    return true
  }

  disconnect(): void {
    for (const bar of this.barsInUse()) this.place(bar, undefined)
    this.mapper = undefined
  }

  setInterruptStatus(asserted: boolean): void {
    const status = this.view.getUint16(PCI.STATUS, true)
    this.set16(PCI.STATUS, asserted ? status | STATUS_BITS.INTERRUPT : status & ~STATUS_BITS.INTERRUPT)
  }

  read(offset: number, size: number): number {
    // The 4 KiB of ECAM hold no extended capabilities: zeroes, as for a conventional function.
    if (offset + size > SIZE) return 0
    for (const hook of this.hooks) {
      if (hook.reads && offset >= hook.start && offset + size <= hook.end) return hook.reads(offset, size)
    }
    return this.get(offset, size)
  }

  write(offset: number, size: number, value: number): void {
    if (offset + size > SIZE) return
    const commandBefore = this.command
    for (let i = 0; i < size; i++) {
      const mask = this.writable[offset + i]!
      const byte = (value >>> (8 * i)) & 0xff
      this.bytes[offset + i] = (this.bytes[offset + i]! & ~mask) | (byte & mask)
    }
    const end = offset + size
    const touchesBars = offset < PCI.BAR0 + 4 * BARS && end > PCI.BAR0
    const commandAfter = this.command
    if (touchesBars || commandBefore !== commandAfter) this.decode()
    if (commandBefore !== commandAfter) this.commandChanged(commandAfter)
    for (const hook of this.hooks) {
      if (hook.written && offset < hook.end && end > hook.start) hook.written(offset, size)
    }
  }

  /** The stored value, past all hooks. */
  get(offset: number, size: number): number {
    if (size === 1) return this.bytes[offset]!
    if (size === 2) return this.view.getUint16(offset, true)
    return this.view.getUint32(offset, true)
  }

  private decode(): void {
    const command = this.command
    const wanted = this.bars.map((bar) => {
      if (bar === undefined) return undefined
      const enable = bar.kind === 'io' ? COMMAND.IO_SPACE : COMMAND.MEMORY_SPACE
      const address = this.view.getUint32(PCI.BAR0 + bar.index * 4, true) & (bar.kind === 'io' ? ~3 : ~15)
      return (command & enable) === 0 || address === 0 ? undefined : address >>> 0
    })
    // All that leave go first, so that two BARs can trade places.
    for (const bar of this.barsInUse()) {
      if (this.mappedAt[bar.index] !== wanted[bar.index]) this.place(bar, undefined)
    }
    for (const bar of this.barsInUse()) {
      if (this.mappedAt[bar.index] !== wanted[bar.index]) this.place(bar, wanted[bar.index])
    }
  }

  private place(bar: Bar, address: number | undefined): void {
    const before = this.mappedAt[bar.index]
    if (before !== undefined) {
      this.mappedAt[bar.index] = undefined
      bar.moved?.(undefined)
      this.mapper?.unmap(bar, before)
    }
    if (address === undefined || !this.mapper?.map(bar, address)) return
    this.mappedAt[bar.index] = address
    bar.moved?.(address)
  }

  private allowWrites(offset: number, mask: readonly number[]): void {
    this.writable.set(mask, offset)
  }

  private set16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true)
  }
}
