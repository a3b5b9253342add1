import type { DevicesState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { Platform } from '../io/platform.ts'
import type { Bar, BarMapper } from './config-space.ts'
import type { PciFunction } from './function.ts'
import { HostBridge } from './host-bridge.ts'
import { IntxLine, IntxPin } from './intx.ts'
import { COMMAND, FIRST_INTX_GSI, gsiOfSlot, INTX_LINES, PCI } from './registers.ts'

export interface PciLayout {
  /** Guest physical addresses BARs may take: [mmio32Start, mmio32End). */
  readonly mmio32Start: number
  readonly mmio32End: number
  /** Where the monitor maps `ecam`; the bus gives no BAR a place there. */
  readonly ecamStart: number
  /** Function 00:00.0; a generic one when absent. */
  readonly hostBridge?: PciFunction
  /** Lines reach the PICs too, for guests that know no IOAPIC: their interrupt line register says which. */
  readonly pic?: boolean
  /** Firmware gives BARs their addresses; without it, `plug` does. */
  readonly firmware?: boolean
  /** Port 0xCF9 lies inside the configuration ports but is the chipset's reset control register. */
  readonly resetControl?: BusDevice
}

/** Bus 0 only: 32 devices × 8 functions × 4 KiB. The MCFG table says the same. */
export const ECAM_BYTES = 1 << 20
const SLOTS = 32
const FUNCTIONS = 8
/** Where port BARs begin, behind all legacy devices. */
const FIRST_PORT = 0xc000
/** IRQ 10 and 11, which no device of the chipset has. */
const picIrqOf = (gsi: number): number => 10 + (gsi & 1)
const CONFIG_ADDRESS = 0
const RESET_CONTROL = 1
const CONFIG_DATA = 4

/**
 * PCI bus 0: configuration mechanism 1 and ECAM. Without firmware `plug` gives each
 * BAR an address and enables decoding, so a guest that believes what it finds can start at once; one that
 * moves or disables a BAR is followed.
 */
export class PciBus {
  /** Ports 0xCF8–0xCFF. */
  readonly configPorts: BusDevice
  /** ECAM_BYTES at layout.ecamStart. */
  readonly ecam: BusDevice
  private readonly platform: Platform
  private readonly layout: PciLayout
  /** By device and function number: 5 and 3 bits. */
  private readonly slots: (PciFunction | undefined)[] = new Array(SLOTS * FUNCTIONS).fill(undefined)
  private readonly lines = new Map<number, IntxLine>()
  private nextAddress: number
  private nextPort = FIRST_PORT
  private configAddress = 0

  constructor(platform: Platform, layout: PciLayout) {
    this.platform = platform
    this.layout = layout
    this.nextAddress = layout.mmio32Start
    this.configPorts = {
      name: 'pci-config',
      read: (offset, size) => this.readPorts(offset, size),
      write: (offset, size, value) => this.writePorts(offset, size, value),
    }
    this.ecam = {
      name: 'pci-ecam',
      read: (offset, size) => this.readConfig(offset >>> 12, offset & 0xfff, size),
      write: (offset, size, value) => this.writeConfig(offset >>> 12, offset & 0xfff, size, value),
    }
    this.plug(0, layout.hostBridge ?? new HostBridge())
  }

  /**
   * Before the guest starts. Throws RangeError when the place is taken or no addresses are left. A slot's function 0
   * comes before its others: without it nobody looks for them.
   */
  plug(slot: number, fn: PciFunction, number = 0): void {
    const first = this.slots[slot * FUNCTIONS]
    const valid = slot >= 0 && slot < SLOTS && number >= 0 && number < FUNCTIONS
    if (!valid || this.slots[slot * FUNCTIONS + number] !== undefined || (number > 0 && !first)) {
      throw new RangeError(`PCI slot ${slot}.${number} is not free`)
    }
    if (number > 0) first?.config.setMultifunction()
    const gsi = gsiOfSlot(slot)
    const intx = new IntxPin(this.line(gsi), fn.config)
    fn.attach({ number: slot, platform: this.platform, intx })
    if (this.layout.firmware !== true) this.assign(fn, gsi)
    this.slots[slot * FUNCTIONS + number] = fn
    fn.config.connect(this.mapper())
  }

  private assign(fn: PciFunction, gsi: number): void {
    let enable = 0
    for (const bar of fn.config.barsInUse()) {
      if (bar.kind === 'io') {
        // Every size is a power of two below a page's worth of ports: the next multiple is free.
        const port = Math.ceil(this.nextPort / bar.size) * bar.size
        this.nextPort = port + bar.size
        fn.config.preset(PCI.BAR0 + bar.index * 4, 4, port)
        enable |= COMMAND.IO_SPACE
        continue
      }
      fn.config.preset(PCI.BAR0 + bar.index * 4, 4, bar.at ?? this.allocate(bar.size))
      enable |= COMMAND.MEMORY_SPACE | COMMAND.BUS_MASTER
    }
    fn.config.preset(PCI.COMMAND, 2, enable)
    const line = this.layout.pic === true ? picIrqOf(gsi) : gsi
    if (fn.config.get(PCI.INTERRUPT_PIN, 1) !== 0) fn.config.preset(PCI.INTERRUPT_LINE, 1, line)
  }

  reset(): void {
    this.configAddress = 0
    for (const fn of this.slots) {
      fn?.reset()
      fn?.config.reset()
    }
  }

  /** See PciFunction.save. */
  save(): DevicesState['pci'] {
    const functions: DevicesState['pci']['functions'] = []
    for (const [place, fn] of this.slots.entries()) {
      if (fn === undefined) continue
      const more = fn.save?.()
      const config = Buffer.from(fn.config.save()).toString('base64')
      const number = place % FUNCTIONS
      const slot = Math.floor(place / FUNCTIONS)
      functions.push({ slot, ...(number > 0 && { function: number }), name: fn.name, config, ...more })
    }
    return { configAddress: this.configAddress, functions }
  }

  /** On a bus with the same functions, before the guest runs. Throws with a line that names what differs. */
  restore(state: DevicesState['pci']): void {
    const placeOf = (saved: DevicesState['pci']['functions'][number]): number =>
      saved.slot * FUNCTIONS + (saved.function ?? 0)
    const saved = new Map(state.functions.map((fn) => [placeOf(fn), fn]))
    for (const [place, fn] of this.slots.entries()) {
      const other = saved.get(place)
      if (fn?.name === other?.name) continue
      const number = place % FUNCTIONS
      throw new Error(
        `PCI slot ${Math.floor(place / FUNCTIONS)}${number > 0 ? `.${number}` : ''} had ${other?.name ?? 'nothing'} when the snapshot was made and has ${fn?.name ?? 'nothing'} now: give the VM the same devices`,
      )
    }
    this.configAddress = (state.configAddress & 0x80ff_fffc) >>> 0
    for (const fn of state.functions) {
      const { slot, name, config } = fn
      if (!this.slots[placeOf(fn)]!.config.restore(Buffer.from(config, 'base64'))) {
        throw new Error(`PCI slot ${slot}: this ${name} is not of the kind that the snapshot has`)
      }
    }
    for (const fn of state.functions) this.slots[placeOf(fn)]!.restore?.(fn)
  }

  /** See PciFunction.resumed. */
  resumed(): void {
    for (const fn of this.slots) fn?.resumed?.()
  }

  close(): void {
    for (const [place, fn] of this.slots.entries()) {
      if (fn === undefined) continue
      this.slots[place] = undefined
      // First nothing reaches the function any more, then it goes.
      fn.config.disconnect()
      fn.close()
    }
  }

  private mapper(): BarMapper {
    const busOf = (bar: Bar) => (bar.kind === 'io' ? this.platform.pio : this.platform.mmio)
    return {
      map: (bar, address) => {
        const { mmio32Start, mmio32End } = this.layout
        // Elsewhere lie RAM, the APICs and the firmware's place: a BAR there would hide them.
        if (bar.kind === 'memory32' && (address < mmio32Start || address + bar.size > mmio32End)) return false
        try {
          busOf(bar).add(address, bar.size, bar.device)
          return true
        } catch (error) {
          // Two BARs at one address: the guest's doing, and it passes when it moves either of them.
          if (error instanceof RangeError) return false
          throw error
        }
      },
      unmap: (bar, address) => busOf(bar).remove(address),
    }
  }

  private allocate(size: number): number {
    const { mmio32End, ecamStart } = this.layout
    // At least a page each, so that no two BARs share one.
    const bytes = Math.max(size, 4096)
    let address = Math.ceil(this.nextAddress / bytes) * bytes
    if (address < ecamStart + ECAM_BYTES && address + bytes > ecamStart) {
      address = Math.ceil((ecamStart + ECAM_BYTES) / bytes) * bytes
    }
    if (address + bytes > mmio32End) throw new RangeError('no PCI addresses left')
    this.nextAddress = address + bytes
    return address
  }

  private line(gsi: number): IntxLine {
    let line = this.lines.get(gsi)
    if (line === undefined) {
      const pins = [this.platform.interrupts.pin(gsi)]
      if (this.layout.pic === true) pins.push(this.platform.interrupts.pin(picIrqOf(gsi)))
      line = new IntxLine({
        setLevel: (asserted) => {
          for (const pin of pins) pin.setLevel(asserted)
        },
      })
      this.lines.set(gsi, line)
    }
    return line
  }

  private readPorts(offset: number, size: number): number {
    if (offset >= CONFIG_DATA) {
      const target = this.configTarget(offset, size)
      return target < 0 ? ones(size) : this.readConfig(target >>> 12, target & 0xfff, size)
    }
    if (offset === CONFIG_ADDRESS && size === 4) return this.configAddress
    if (offset === RESET_CONTROL && size === 1) return this.layout.resetControl?.read(0, 1) ?? 0xff
    return ones(size)
  }

  private writePorts(offset: number, size: number, value: number): void {
    if (offset >= CONFIG_DATA) {
      const target = this.configTarget(offset, size)
      if (target >= 0) this.writeConfig(target >>> 12, target & 0xfff, size, value)
    } else if (offset === CONFIG_ADDRESS && size === 4) {
      // Bits 30–24 and 1–0 are reserved and read 0.
      this.configAddress = (value & 0x80ff_fffc) >>> 0
    } else if (offset === RESET_CONTROL && size === 1) {
      this.layout.resetControl?.write(0, 1, value)
    }
  }

  /** The ECAM-style offset that the address register and a data port name together, or -1 for none. */
  private configTarget(offset: number, size: number): number {
    const lane = offset - CONFIG_DATA
    if (this.configAddress < 0x8000_0000 || lane + size > 4) return -1
    const deviceFunction = (this.configAddress >>> 8) & 0xffff
    return (deviceFunction << 12) | (this.configAddress & 0xfc) | lane
  }

  /** `location` is bus, device and function: 8, 5 and 3 bits. */
  private readConfig(location: number, register: number, size: number): number {
    const fn = this.at(location)
    if (fn === undefined || register + size > 4096) return ones(size)
    return fn.config.read(register, size)
  }

  private writeConfig(location: number, register: number, size: number, value: number): void {
    if (register + size <= 4096) this.at(location)?.config.write(register, size, value)
  }

  private at(location: number): PciFunction | undefined {
    return location < SLOTS * FUNCTIONS ? this.slots[location] : undefined
  }
}

const ones = (size: number): number => (size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff)

export { FIRST_INTX_GSI, gsiOfSlot, INTX_LINES }
