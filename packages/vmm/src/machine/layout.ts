/**
 * The address map of the machine, in one place. Everything the guest learns about where things are (e820, ACPI,
 * PCI windows) and every bus registration comes from here.
 */
import type { GuestRange } from '../memory/guest-ram.ts'

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

/** RAM below 4 GiB ends here at the latest; the rest of RAM begins at 4 GiB. */
export const LOW_RAM_END = 3 * GIB
export const HIGH_RAM_START = 4 * GIB
/** A JS view covers at most 4 GiB, so RAM is mapped in windows of at most this size. */
export const MAX_REGION = 4 * GIB

/** Where the guest places 32-bit memory BARs. */
export const PCI_MMIO = { start: 0xc000_0000, end: 0xe000_0000 } as const
/** PCI Express enhanced configuration: one segment, bus 0 alone, 1 MiB (PCIe base spec 7.2.2). */
export const ECAM = { start: 0xe000_0000, size: 1 * MIB, lastBus: 0 } as const
/**
 * The frame buffer that a directly started kernel is told of, in a BAR of the GPU: above the other BARs, which come from
 * the bottom. 32 bits a pixel.
 */
export const EARLY_SCREEN = {
  address: 0xdf00_0000,
  bytes: 4 * MIB,
  width: 1280,
  height: 800,
  stride: 1280 * 4,
} as const
export const IOAPIC_ADDRESS = 0xfec0_0000
export const LAPIC_ADDRESS = 0xfee0_0000
/** Three pages KVM needs on Intel hosts without unrestricted guest; below all firmware, never RAM. */
export const KVM_TSS = 0xfeff_d000
export const KVM_IDENTITY_MAP = 0xfeff_c000

/**
 * A machine that firmware sets up. Firmware places the PCI configuration window (SeaBIOS at 0xB0000000) and BARs
 * itself, in what RAM leaves free: with as much as would reach there, RAM ends at 2 GiB and goes on above 4.
 */
export const FIRMWARE = {
  end: 0x1_0000_0000,
  lowRamMax: 0xb000_0000,
  lowRamSplit: 2 * GIB,
  pciEnd: 0xfec0_0000,
  /** What firmware keeps free for the window, of which bus 0 is answered. */
  ecamReserved: 256 * MIB,
  /** The copy of a BIOS's last 128 KiB below 1 MiB. */
  biosShadow: { start: 0xe_0000, size: 128 * KIB },
} as const

/** Memory slots of what is read-only for the guest. */
export const ROM = { code: 0, variables: 1 } as const

/** Boot data in low memory, free for the guest once it has read them. 0x1000–0x2fff stays empty: OSv's own. */
export const BOOT = {
  gdt: 0x500,
  pvhStartInfo: 0x6000,
  /** Real-mode interrupts of a kernel that expects a BIOS behind it end here. */
  noBios: 0x580,
  /** High up: a Multiboot kernel may want to be loaded below (GRUB does, at 0x9000). */
  multiboot: {
    lowestLoad: 0x1000,
    info: 0x9_0000,
    name: 0x9_0080,
    modules: 0x9_0100,
    memoryMap: 0x9_0200,
    moduleTexts: 0x9_1000,
    moduleTextsMax: 0x1000,
    commandLine: 0x9_2000,
    commandLineMax: 0x8000,
  },
  pvhModules: 0x6100,
  pvhMemoryMap: 0x6200,
  zeroPage: 0x7000,
  hvt: {
    info: 0x1_0000,
    manifest: 0x1_0040,
    commandLine: 0x1_2000,
    commandLineMax: 0x2000,
    end: 0x1_4000,
    /** Up to CONVENTIONAL_END. */
    pageTables: 0x1_4000,
  },
  pageTables: 0x9000,
  stack: 0x1_8000,
  commandLine: 0x2_0000,
  commandLineMax: 0x1_0000,
} as const

/** The BIOS data area's words that kernels look at: the extended area's segment, and conventional memory in KiB. */
export const BIOS_DATA = { extendedSegment: 0x40e, conventionalKib: 0x413 } as const

/** End of conventional memory; above it the extended BIOS data area, then the legacy hole. */
export const CONVENTIONAL_END = 0x9_fc00
/** ACPI tables: inside 0xE0000–0xFFFFF, where an operating system without any pointer searches the RSDP (ACPI 6.5, 5.2.5.1). */
export const ACPI_TABLES = { start: 0xe_0000, end: 0xf_e000 } as const
/** Where a guest without ACPI searches, too (MultiProcessor Specification 1.4, 4.1). */
export const MP_TABLE = { start: 0xf_e000, end: 0xf_f000 } as const
/** The VM generation ID, alone in the last page of what is reserved below 1 MiB. */
export const GENERATION_ID = 0xf_f000
export const HIGH_MEMORY = 1 * MIB

/** Port I/O. */
export const PORT = {
  i8042Data: 0x60,
  i8042Command: 0x64,
  cmos: 0x70,
  /** POST codes, written by Linux as a short delay. */
  delay: 0x80,
  systemControlA: 0x92,
  com1: 0x3f8,
  firmwareLog: 0x402,
  pvpanic: 0x505,
  fwCfg: 0x510,
  pm1aEvent: 0x600,
  pm1aControl: 0x604,
  pmTimer: 0x608,
  gpe0: 0x620,
  pciConfig: 0xcf8,
  reset: 0xcf9,
} as const

export const IRQ = { keyboard: 1, com1: 4, rtc: 8, sci: 9 } as const
/** IOAPIC pins; MSI routes take GSIs from here on. */
export const IOAPIC_PINS = 24
/** INTA of PCI slot n. */
export const pciPin = (slot: number): number => 16 + (slot & 7)

/** Of a disk, and pairs of a network: one for each vCPU. A single thread serves them, so many more are of no use. */
export const queuesFor = (cpus: number): number => Math.min(cpus, 4)

/** Networks before disks, each with room of their own: a disk more never renames a network card in the guest. */
export const PCI_SLOT = {
  /** With PCI_FUNCTION's devices as its other functions. */
  rng: 1,
  firstNet: 2,
  console: 9,
  firstDisk: 10,
  firstDisplay: 26,
  balloon: 29,
  scsi: 30,
  lpc: 31,
} as const

/** Virtio devices over MMIO, a page each, behind the configuration window. */
export const VIRTIO_MMIO = { start: 0xe100_0000, stride: 0x1000, max: 32 } as const
/** IRQs of the PICs that no device of the chipset has: also a guest without ACPI can have these. */
const FREE_IRQS = [5, 6, 7, 10, 11, 12, 14, 15, 3] as const
/** Behind that lines are shared, which takes a guest that knows them to be level-triggered (by ACPI). */
export const MMIO_OWN_IRQS = FREE_IRQS.length
export function mmioPlace(index: number): { readonly address: number; readonly irq: number } {
  if (index >= VIRTIO_MMIO.max) throw new RangeError(`more than ${VIRTIO_MMIO.max} devices over MMIO`)
  const irq = FREE_IRQS[index % FREE_IRQS.length]!
  return { address: VIRTIO_MMIO.start + index * VIRTIO_MMIO.stride, irq }
}

/** Functions of the entropy source's slot, since there are no slots left. */
export const PCI_FUNCTION = { watchdog: 1, vsock: 2, firstShare: 3 } as const

/** Where RAM below 4 GiB ends in a machine with firmware. */
export const firmwareLowRamEnd = (bytes: number): number =>
  bytes <= FIRMWARE.lowRamMax ? bytes : FIRMWARE.lowRamSplit

/** RAM of `bytes` as guest ranges: below `lowEnd`, the rest from 4 GiB, split into windows. */
export function ramRanges(bytes: number, lowEnd: number = LOW_RAM_END): GuestRange[] {
  const ranges: GuestRange[] = [{ guestAddress: 0, size: Math.min(bytes, lowEnd) }]
  for (let rest = bytes - lowEnd, at = HIGH_RAM_START; rest > 0; ) {
    const size = Math.min(rest, MAX_REGION)
    ranges.push({ guestAddress: at, size })
    at += size
    rest -= size
  }
  return ranges
}

export interface E820Entry {
  readonly start: number
  readonly size: number
  readonly type: typeof E820_RAM | typeof E820_RESERVED
}
export const E820_RAM = 1
export const E820_RESERVED = 2

/** The memory map as a BIOS would report it (ACPI 6.5, section 15), sorted by address. */
export function memoryMap(ramBytes: number): E820Entry[] {
  const entries: E820Entry[] = [
    { start: 0, size: CONVENTIONAL_END, type: E820_RAM },
    { start: CONVENTIONAL_END, size: 0xa_0000 - CONVENTIONAL_END, type: E820_RESERVED },
    { start: ACPI_TABLES.start, size: HIGH_MEMORY - ACPI_TABLES.start, type: E820_RESERVED },
  ]
  const ranges = ramRanges(ramBytes)
  entries.push({ start: HIGH_MEMORY, size: ranges[0]!.size - HIGH_MEMORY, type: E820_RAM })
  entries.push({ start: ECAM.start, size: ECAM.size, type: E820_RESERVED })
  if (ramBytes > LOW_RAM_END)
    entries.push({ start: HIGH_RAM_START, size: ramBytes - LOW_RAM_END, type: E820_RAM })
  return entries
}
