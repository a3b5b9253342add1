/** The parts a machine has because firmware sets it up: its bridges and what firmware asks about the machine. */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import { RSDP_SIZE } from '../acpi/tables.ts'
import type { BusDevice } from '../bus/device.ts'
import type { MachineEvents } from '../chipset/events.ts'
import { SystemControlA } from '../chipset/system-control-a.ts'
import type { EarlyScreen } from '../display/frame-buffer.ts'
import type { Platform } from '../io/platform.ts'
import { ECAM, FIRMWARE, HIGH_RAM_START, PCI_SLOT, PORT } from '../machine/layout.ts'
import type { GuestMemory, GuestRegion } from '../memory/guest-memory.ts'
import { ECAM_BYTES, PciBus } from '../pci/bus.ts'
import { LpcBridge, SMI_ENABLE_PORT, smiEnable } from '../pci/lpc-bridge.ts'
import { Q35HostBridge } from '../pci/q35-host-bridge.ts'
import { viewOf } from '../sys/libc.ts'
import { DebugPort } from './debug-port.ts'
import { appendFirmwareLog } from './firmware-log.ts'
import { Flash } from './flash.ts'
import { FW_CFG, FW_CFG_PORTS, FwCfg } from './fw-cfg.ts'
import { Ramfb } from './ramfb.ts'
import {
  ACPI_FILE,
  type AcpiFiles,
  acpiFiles,
  GENERATION_ID_FILE,
  LOADER_BYTES,
  TABLES_BYTES,
} from './table-loader.ts'

/** What the I/O thread is told of a machine with firmware. */
export interface FirmwareMachine {
  readonly kind: 'bios' | 'uefi'
  /** OpenFirmware paths, the first to try first; nothing else is tried when they all fail. */
  readonly bootOrder: readonly string[]
  /** Where the firmware's own log goes; absent: nobody wants it, which starts the guest faster. */
  readonly logFd?: number | undefined
  /** UEFI's variables, mapped in this process. */
  readonly variables?: GuestRegion | undefined
  /** A BIOS's program for a screen in RAM; absent: it has none, and text goes to the serial port alone. */
  readonly videoRom?: Uint8Array | undefined
}

export interface SavedPart {
  save(): unknown
  restore(state: never): void
}

/** What firmware's own devices need of the machine. */
export interface FirmwareParts {
  /** A device at fixed ports whose state goes into snapshots, by its name there. */
  readonly withState: (name: keyof ChipsetState, part: SavedPart) => void
  /** Lets the guest read the variables as memory, or not. */
  readonly setVariablesReadable: (readable: boolean, region: GuestRegion) => void
  /** UEFI changed variables: they are to be made durable. */
  readonly variablesWritten: () => void
  /** The 16 bytes of the VM generation ID as they are now, and where firmware put them. */
  readonly generation: { readonly bytes: Uint8Array; placed(address: number): void }
}

export interface FirmwareContext extends FirmwareParts {
  /** Where a picture of the firmware's own is shown. */
  readonly screen: EarlyScreen | undefined
  readonly platform: Platform
  readonly memory: GuestMemory
  readonly cpus: number
  readonly lowRam: number
  readonly highRam: number
  readonly resetControl: BusDevice
  readonly events: MachineEvents
}

const BOOT_MENU_WAIT_MS = 1500
const E820_RAM = 1
const E820_ENTRY_BYTES = 20

/** Builds bus 0 with its bridges, and fw_cfg. */
export function plugFirmware(firmware: FirmwareMachine, context: FirmwareContext): PciBus {
  const { platform } = context
  const { pio, mmio } = platform
  let ecamBase: number | undefined
  const place = (base: number | undefined): void => {
    if (base === ecamBase) return
    if (ecamBase !== undefined) mmio.remove(ecamBase)
    ecamBase = undefined
    // Anywhere else it would hide RAM or the firmware itself.
    if (base === undefined || base < context.lowRam || base + FIRMWARE.ecamReserved > FIRMWARE.pciEnd) return
    try {
      mmio.add(base, ECAM_BYTES, bus.ecam)
      ecamBase = base
    } catch (error) {
      // A BAR of the guest's own placing lies there.
      if (!(error instanceof RangeError)) throw error
    }
  }
  const bus = new PciBus(platform, {
    mmio32Start: context.lowRam,
    mmio32End: FIRMWARE.pciEnd,
    ecamStart: FIRMWARE.pciEnd,
    hostBridge: new Q35HostBridge(place),
    firmware: true,
    resetControl: context.resetControl,
  })
  bus.plug(PCI_SLOT.lpc, new LpcBridge())
  pio.add(SMI_ENABLE_PORT, 4, smiEnable)
  const portA = new SystemControlA(context.events)
  pio.add(PORT.systemControlA, 1, portA)
  context.withState('system-control-a', portA)
  const { variables } = firmware
  if (variables !== undefined) {
    const bytes = new Uint8Array(viewOf(variables.hostAddress, variables.size))
    const flash = new Flash(bytes, {
      readable: (readable) => context.setVariablesReadable(readable, variables),
      written: context.variablesWritten,
    })
    mmio.add(variables.guestAddress, variables.size, flash)
    context.withState('flash', flash)
  }
  const { logFd } = firmware
  if (logFd !== undefined)
    pio.add(PORT.firmwareLog, 1, new DebugPort((line) => appendFirmwareLog(logFd, line)))
  const config = firmwareConfig(firmware, context, () => ecamBase)
  if (context.screen !== undefined && firmware.videoRom !== undefined) {
    const ramfb = new Ramfb(context.memory, context.screen)
    ramfb.plug(config)
    // SeaBIOS runs what it finds in this folder as the video BIOS.
    config.addFile('vgaroms/ramfb.bin', firmware.videoRom)
    context.withState('ramfb', ramfb)
  }
  pio.add(PORT.fwCfg, FW_CFG_PORTS, config)
  context.withState('fw-cfg', config)
  return bus
}

function firmwareConfig(
  firmware: FirmwareMachine,
  context: FirmwareContext,
  ecamBase: () => number | undefined,
): FwCfg {
  const { cpus, memory } = context
  const config = new FwCfg(memory)
  const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >>> 8)
  config.addItem(FW_CFG.NB_CPUS, u16(cpus))
  config.addItem(FW_CFG.MAX_CPUS, u16(cpus))
  config.addItem(FW_CFG.BOOT_MENU, u16(1))
  config.addItem(FW_CFG.IRQ0_OVERRIDE, Uint8Array.of(1))
  config.addFile('etc/boot-menu-wait', u16(BOOT_MENU_WAIT_MS))
  // Text that a BIOS program writes to the screen goes to the serial console, and keys come from there.
  config.addFile('etc/sercon-port', u16(PORT.com1))
  config.addFile('etc/e820', ramMap(context))
  if (firmware.bootOrder.length > 0) {
    config.addFile('bootorder', new TextEncoder().encode(`${firmware.bootOrder.join('\n')}\0`))
  }
  let acpi: AcpiFiles | undefined
  // Made when firmware fetches the script: by then it has placed the PCI configuration window.
  const make = (): AcpiFiles =>
    acpiFiles({ cpus, keyboard: context.screen !== undefined, ...windows(context.lowRam, ecamBase()) })
  const made = (): AcpiFiles => {
    acpi ??= make()
    return acpi
  }
  const page = new Uint8Array(GENERATION_ID_FILE.bytes)
  page.set(context.generation.bytes, GENERATION_ID_FILE.offset)
  config.addFile(ACPI_FILE.generationId, page)
  const address = new Uint8Array(GENERATION_ID_FILE.addressBytes)
  config.addFile(ACPI_FILE.generationIdAddress, address, () => {
    const view = new DataView(address.buffer)
    const base = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32
    context.generation.placed(base + GENERATION_ID_FILE.offset)
  })
  config.addFile(ACPI_FILE.rsdp, { size: RSDP_SIZE, make: () => made().rsdp })
  config.addFile(ACPI_FILE.tables, { size: TABLES_BYTES, make: () => made().tables })
  config.addFile(ACPI_FILE.loader, {
    size: LOADER_BYTES,
    make: () => {
      acpi = make()
      return acpi.loader
    },
  })
  return config
}

/** What the host bridge passes on: all below the APICs that is neither RAM nor the configuration window. */
function windows(lowRam: number, ecamBase: number | undefined) {
  const start = ecamBase ?? ECAM.start
  const parts = [
    { start: lowRam, end: start },
    { start: start + FIRMWARE.ecamReserved, end: FIRMWARE.pciEnd },
  ]
  return {
    ecam: { start, size: ECAM_BYTES, lastBus: ECAM.lastBus },
    pciMemory: parts.filter((part) => part.end > part.start),
  }
}

function ramMap({ lowRam, highRam }: FirmwareContext): Uint8Array {
  const ranges = [
    [0, lowRam],
    [HIGH_RAM_START, highRam],
  ] as const
  const present = ranges.filter(([, size]) => size > 0)
  const view = new DataView(new ArrayBuffer(present.length * E820_ENTRY_BYTES))
  for (const [i, [address, size]] of present.entries()) {
    const at = i * E820_ENTRY_BYTES
    view.setBigUint64(at, BigInt(address), true)
    view.setBigUint64(at + 8, BigInt(size), true)
    view.setUint32(at + 16, E820_RAM, true)
  }
  return new Uint8Array(view.buffer)
}
