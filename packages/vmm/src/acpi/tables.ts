/** The ACPI tables of the machine (ACPI 6.5, section 5.2), as bytes with addresses and checksums in place. */
import { GPE_BYTES } from '../chipset/gpe.ts'
import {
  ACPI_TABLES,
  ECAM,
  GENERATION_ID,
  IOAPIC_ADDRESS,
  IRQ,
  LAPIC_ADDRESS,
  PCI_MMIO,
  PORT,
} from '../machine/layout.ts'
import { dsdtBody } from './dsdt.ts'

const HEADER = 36
export const RSDP_SIZE = 36
/** FACS wants 64 bytes (5.2.10), which suits the others too. */
const ALIGNMENT = 64
/** Offsets of the pointers in the FADT (5.2.9). */
const FADT = { firmwareControl: 36, dsdt: 40, xDsdt: 140 } as const
/** Where a table, and the RSDP for its first 20 bytes and for all of it, keep their checksum. */
export const CHECKSUM = { table: 9, rsdp: 8, rsdpExtended: 32 } as const
/** What the reset register wants written (and port 0xCF9 means by it: reset CPU, full). */
const RESET_VALUE = 6

/** What differs between machines; addresses are guest physical. */
export interface AcpiMachine {
  readonly cpus: number
  readonly ecam: { readonly start: number; readonly size: number; readonly lastBus: number }
  /** Windows the host bridge passes on to memory BARs, `end` exclusive. */
  readonly pciMemory: readonly { readonly start: number; readonly end: number }[]
  /** Virtio devices over MMIO; absent: none. */
  readonly mmioDevices?: number | undefined
  /** It has a PS/2 keyboard. */
  readonly keyboard?: boolean | undefined
  /** Where the VM generation ID lies; with firmware, where in its file. */
  readonly generationId: number
}

export interface AcpiTables {
  /** Guest address of the RSDP, where `bytes` begin. */
  readonly rsdp: number
  readonly bytes: Uint8Array
  /** Each table alone, by signature, for tests and for `iasl`. */
  readonly tables: ReadonlyMap<string, Uint8Array>
}

/** The tables one after the other, and where the addresses in them are, so that somebody else may place them. */
export interface AcpiTableSet {
  readonly bytes: Uint8Array
  readonly tables: readonly { readonly signature: string; readonly offset: number; readonly length: number }[]
  /** Little-endian addresses of `size` bytes at offset `at`; each holds `base` plus the offset of a table. */
  readonly pointers: readonly { readonly at: number; readonly size: 4 | 8 }[]
  /** Offset of the generation ID's address, 4 bytes. */
  readonly generationIdAt: number
  readonly rsdt: number
  readonly xsdt: number
}

/** The machine without firmware: fixed addresses, everything set up before the guest starts. */
export const directMachine = (cpus: number, mmioDevices = 0, keyboard = false): AcpiMachine => ({
  cpus,
  mmioDevices,
  keyboard,
  ecam: ECAM,
  pciMemory: [PCI_MMIO],
  generationId: GENERATION_ID,
})

/** The tables where an operating system without firmware finds them: RSDP first. */
export function buildAcpi(cpus: number, mmioDevices = 0, keyboard = false): AcpiTables {
  const base = ACPI_TABLES.start + Math.ceil(RSDP_SIZE / ALIGNMENT) * ALIGNMENT
  const set = layTables(directMachine(cpus, mmioDevices, keyboard), base)
  const bytes = new Uint8Array(base - ACPI_TABLES.start + set.bytes.length)
  if (ACPI_TABLES.start + bytes.length > ACPI_TABLES.end) {
    throw new RangeError('the ACPI tables do not fit below 1 MiB')
  }
  bytes.set(rsdp(base + set.rsdt, base + set.xsdt))
  bytes.set(set.bytes, base - ACPI_TABLES.start)
  const tables = set.tables.map(
    ({ signature, offset, length }) => [signature, set.bytes.slice(offset, offset + length)] as const,
  )
  return { rsdp: ACPI_TABLES.start, bytes, tables: new Map(tables) }
}

/** Lays all tables but the RSDP, to lie at guest address `base` (0: their pointers are offsets). */
export function layTables(machine: AcpiMachine, base: number): AcpiTableSet {
  const tables: { signature: string; offset: number; length: number; bytes: Uint8Array }[] = []
  const pointers: { at: number; size: 4 | 8 }[] = []
  let next = 0
  /** Places a table aligned, notes where in it pointers are, and returns its address. */
  const place = (bytes: Uint8Array, at: readonly (readonly [offset: number, size: 4 | 8])[] = []): number => {
    const offset = Math.ceil(next / ALIGNMENT) * ALIGNMENT
    for (const [within, size] of at) pointers.push({ at: offset + within, size })
    tables.push({ signature: signatureOf(bytes), offset, length: bytes.length, bytes })
    next = offset + bytes.length
    return base + offset
  }
  const firmwareControl = place(facs())
  const { body, generationIdAt } = dsdtBody(machine)
  const dsdt = place(table('DSDT', 2, body))
  const roots = [
    place(fadt(firmwareControl, dsdt, machine.keyboard === true), [
      [FADT.firmwareControl, 4],
      [FADT.dsdt, 4],
      [FADT.xDsdt, 8],
    ]),
    place(madt(machine.cpus)),
    place(mcfgTable(machine)),
  ]
  const entries = (size: 4 | 8) => roots.map((_, i) => [HEADER + i * size, size] as const)
  const rsdt = place(rootTable('RSDT', 4, roots), entries(4)) - base
  const xsdt = place(rootTable('XSDT', 8, roots), entries(8)) - base
  const bytes = new Uint8Array(next)
  for (const entry of tables) bytes.set(entry.bytes, entry.offset)
  return { bytes, tables, pointers, generationIdAt: dsdt - base + HEADER + generationIdAt, rsdt, xsdt }
}

const signatureOf = (table: Uint8Array): string => String.fromCharCode(...table.subarray(0, 4))

/** System description table header (5.2.6) before `body`, checksummed. */
function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + body.length)
  const view = new DataView(bytes.buffer)
  ascii(bytes, 0, signature)
  view.setUint32(4, bytes.length, true)
  bytes[8] = revision
  ascii(bytes, 10, 'HEARTH')
  ascii(bytes, 16, 'HEARTHVM')
  view.setUint32(24, 1, true)
  ascii(bytes, 28, 'HRTH')
  view.setUint32(32, 1, true)
  bytes.set(body, HEADER)
  bytes[9] = checksum(bytes)
  return bytes
}

function ascii(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
}

const checksum = (bytes: Uint8Array): number => -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff

/** RSDP (5.2.5.3), revision 2. */
export function rsdp(rsdt: number, xsdt: number): Uint8Array {
  const bytes = new Uint8Array(RSDP_SIZE)
  const view = new DataView(bytes.buffer)
  ascii(bytes, 0, 'RSD PTR ')
  ascii(bytes, 9, 'HEARTH')
  bytes[15] = 2
  view.setUint32(16, rsdt, true)
  view.setUint32(20, RSDP_SIZE, true)
  view.setUint32(24, xsdt, true)
  bytes[8] = checksum(bytes.subarray(0, 20))
  bytes[32] = checksum(bytes)
  return bytes
}

/** RSDT (5.2.7) with 4-byte, XSDT (5.2.8) with 8-byte addresses. */
function rootTable(signature: 'RSDT' | 'XSDT', size: 4 | 8, addresses: readonly number[]): Uint8Array {
  const body = new DataView(new ArrayBuffer(addresses.length * size))
  for (const [i, address] of addresses.entries()) body.setUint32(i * size, address, true)
  return table(signature, 1, new Uint8Array(body.buffer))
}

/** Firmware ACPI control structure (5.2.10): no header, no checksum. Some systems refuse ACPI without one. */
function facs(): Uint8Array {
  const SIZE = 64
  const bytes = new Uint8Array(SIZE)
  ascii(bytes, 0, 'FACS')
  bytes[4] = SIZE
  bytes[32] = 2
  return bytes
}

/** Generic address structure (5.2.3.2) of a port. */
function portAddress(view: DataView, at: number, port: number, bits: number, accessBytes: number): void {
  const SYSTEM_IO = 1
  view.setUint8(at, SYSTEM_IO)
  view.setUint8(at + 1, bits)
  view.setUint8(at + 3, Math.log2(accessBytes) + 1)
  view.setUint32(at + 4, port, true)
}

/** Fixed ACPI description table (5.2.9). Offsets are those of the whole table. */
function fadt(firmwareControl: number, dsdt: number, keyboard: boolean): Uint8Array {
  const SIZE = 276
  const FLAGS = {
    WBINVD: 1 << 0,
    PROC_C1: 1 << 2,
    SLP_BUTTON: 1 << 5,
    FIX_RTC: 1 << 6,
    RESET_REG_SUP: 1 << 10,
  }
  const BOOT_ARCH = {
    LEGACY_DEVICES: 1 << 0,
    I8042: 1 << 1,
    VGA_NOT_PRESENT: 1 << 2,
    PCIE_ASPM_CONTROLS: 1 << 4,
  }
  const bytes = new Uint8Array(SIZE - HEADER)
  const whole = new DataView(new ArrayBuffer(SIZE))
  const set32 = (at: number, value: number): void => whole.setUint32(at, value, true)
  set32(FADT.firmwareControl, firmwareControl)
  set32(FADT.dsdt, dsdt)
  whole.setUint16(46, IRQ.sci, true)
  // SMI_CMD stays 0: the machine is always in ACPI mode.
  set32(56, PORT.pm1aEvent)
  set32(64, PORT.pm1aControl)
  set32(76, PORT.pmTimer)
  whole.setUint8(88, 4)
  whole.setUint8(89, 2)
  whole.setUint8(91, 4)
  set32(80, PORT.gpe0)
  whole.setUint8(92, GPE_BYTES)
  // No C2 and no C3: latencies above these bounds say so.
  whole.setUint16(96, 0xfff, true)
  whole.setUint16(98, 0xfff, true)
  const CENTURY = 0x32
  whole.setUint8(108, CENTURY)
  whole.setUint16(
    109,
    BOOT_ARCH.LEGACY_DEVICES |
      (keyboard ? BOOT_ARCH.I8042 : 0) |
      BOOT_ARCH.VGA_NOT_PRESENT |
      BOOT_ARCH.PCIE_ASPM_CONTROLS,
    true,
  )
  set32(112, FLAGS.WBINVD | FLAGS.PROC_C1 | FLAGS.SLP_BUTTON | FLAGS.FIX_RTC | FLAGS.RESET_REG_SUP)
  portAddress(whole, 116, PORT.reset, 8, 1)
  whole.setUint8(128, RESET_VALUE)
  whole.setUint8(131, 5)
  set32(FADT.xDsdt, dsdt)
  portAddress(whole, 148, PORT.pm1aEvent, 32, 2)
  portAddress(whole, 172, PORT.pm1aControl, 16, 2)
  portAddress(whole, 208, PORT.pmTimer, 32, 4)
  portAddress(whole, 220, PORT.gpe0, 8 * GPE_BYTES, 1)
  bytes.set(new Uint8Array(whole.buffer, HEADER))
  return table('FACP', 6, bytes)
}

/** Multiple APIC description table (5.2.12). */
function madt(cpus: number): Uint8Array {
  const LEVEL_ACTIVE_HIGH = 0xd
  const word = (value: number): number[] => [
    value & 0xff,
    (value >> 8) & 0xff,
    (value >> 16) & 0xff,
    value >>> 24,
  ]
  const PCAT_COMPAT = 1
  const body = [...word(LAPIC_ADDRESS), ...word(PCAT_COMPAT)]
  for (let cpu = 0; cpu < cpus; cpu++) body.push(0, 8, cpu, cpu, ...word(1))
  body.push(1, 12, cpus, 0, ...word(IOAPIC_ADDRESS), ...word(0))
  // The timer is wired to pin 2; the SCI is level-triggered.
  body.push(2, 10, 0, 0, ...word(2), 0, 0)
  body.push(2, 10, 0, IRQ.sci, ...word(IRQ.sci), LEVEL_ACTIVE_HIGH, 0)
  const ALL_PROCESSORS = 0xff
  body.push(4, 6, ALL_PROCESSORS, 0, 0, 1)
  return table('APIC', 5, Uint8Array.from(body))
}

/** PCI Express memory mapped configuration (PCI firmware specification 4.1.2). */
function mcfgTable({ ecam }: AcpiMachine): Uint8Array {
  const body = new DataView(new ArrayBuffer(8 + 16))
  body.setUint32(8, ecam.start, true)
  body.setUint8(8 + 11, ecam.lastBus)
  return table('MCFG', 1, new Uint8Array(body.buffer))
}
