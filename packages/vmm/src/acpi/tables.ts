/** The ACPI tables of the machine (ACPI 6.5, section 5.2), as bytes with addresses and checksums in place. */
import { ACPI_TABLES, ECAM, IOAPIC_ADDRESS, IRQ, LAPIC_ADDRESS, PORT } from '../machine/layout.ts'
import { dsdtBody } from './dsdt.ts'

const HEADER = 36
const RSDP_SIZE = 36
/** What the reset register wants written (and port 0xCF9 means by it: reset CPU, full). */
export const RESET_VALUE = 6

export interface AcpiTables {
  /** Guest address of the RSDP, where `bytes` begin. */
  readonly rsdp: number
  readonly bytes: Uint8Array
  /** Each table alone, by signature, for tests and for `iasl`. */
  readonly tables: ReadonlyMap<string, Uint8Array>
}

export function buildAcpi(cpus: number): AcpiTables {
  const tables = new Map<string, Uint8Array>()
  const bytes = new Uint8Array(ACPI_TABLES.end - ACPI_TABLES.start)
  let next = RSDP_SIZE
  /** Places a table 16-byte aligned and returns its guest address. */
  const place = (table: Uint8Array): number => {
    next = Math.ceil(next / 16) * 16
    if (next + table.length > bytes.length) throw new RangeError('the ACPI tables do not fit below 1 MiB')
    bytes.set(table, next)
    tables.set(signatureOf(table), table)
    const address = ACPI_TABLES.start + next
    next += table.length
    return address
  }
  const dsdt = place(table('DSDT', 2, dsdtBody(cpus)))
  const facp = place(fadt(dsdt))
  const apic = place(madt(cpus))
  const mcfg = place(mcfgTable())
  const xsdt = place(xsdtTable([facp, apic, mcfg]))
  bytes.set(rsdp(xsdt), 0)
  return { rsdp: ACPI_TABLES.start, bytes: bytes.slice(0, next), tables }
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

/** RSDP (5.2.5.3), revision 2: XSDT only. */
function rsdp(xsdt: number): Uint8Array {
  const bytes = new Uint8Array(RSDP_SIZE)
  const view = new DataView(bytes.buffer)
  ascii(bytes, 0, 'RSD PTR ')
  ascii(bytes, 9, 'HEARTH')
  bytes[15] = 2
  view.setUint32(20, RSDP_SIZE, true)
  view.setUint32(24, xsdt, true)
  bytes[8] = checksum(bytes.subarray(0, 20))
  bytes[32] = checksum(bytes)
  return bytes
}

function xsdtTable(addresses: readonly number[]): Uint8Array {
  const body = new DataView(new ArrayBuffer(addresses.length * 8))
  for (const [i, address] of addresses.entries()) body.setUint32(i * 8, address, true)
  return table('XSDT', 1, new Uint8Array(body.buffer))
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
function fadt(dsdt: number): Uint8Array {
  const SIZE = 276
  const FLAGS = {
    WBINVD: 1 << 0,
    PROC_C1: 1 << 2,
    SLP_BUTTON: 1 << 5,
    FIX_RTC: 1 << 6,
    RESET_REG_SUP: 1 << 10,
  }
  const BOOT_ARCH = { LEGACY_DEVICES: 1 << 0, VGA_NOT_PRESENT: 1 << 2, PCIE_ASPM_CONTROLS: 1 << 4 }
  const bytes = new Uint8Array(SIZE - HEADER)
  const whole = new DataView(new ArrayBuffer(SIZE))
  const set32 = (at: number, value: number): void => whole.setUint32(at, value, true)
  set32(40, dsdt)
  whole.setUint16(46, IRQ.sci, true)
  // SMI_CMD stays 0: the machine is always in ACPI mode.
  set32(56, PORT.pm1aEvent)
  set32(64, PORT.pm1aControl)
  set32(76, PORT.pmTimer)
  whole.setUint8(88, 4)
  whole.setUint8(89, 2)
  whole.setUint8(91, 4)
  // No C2 and no C3: latencies above these bounds say so.
  whole.setUint16(96, 0xfff, true)
  whole.setUint16(98, 0xfff, true)
  const CENTURY = 0x32
  whole.setUint8(108, CENTURY)
  whole.setUint16(
    109,
    BOOT_ARCH.LEGACY_DEVICES | BOOT_ARCH.VGA_NOT_PRESENT | BOOT_ARCH.PCIE_ASPM_CONTROLS,
    true,
  )
  set32(112, FLAGS.WBINVD | FLAGS.PROC_C1 | FLAGS.SLP_BUTTON | FLAGS.FIX_RTC | FLAGS.RESET_REG_SUP)
  portAddress(whole, 116, PORT.reset, 8, 1)
  whole.setUint8(128, RESET_VALUE)
  whole.setUint8(131, 5)
  set32(140, dsdt)
  portAddress(whole, 148, PORT.pm1aEvent, 32, 2)
  portAddress(whole, 172, PORT.pm1aControl, 16, 2)
  portAddress(whole, 208, PORT.pmTimer, 32, 4)
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
function mcfgTable(): Uint8Array {
  const body = new DataView(new ArrayBuffer(8 + 16))
  body.setUint32(8, ECAM.start, true)
  body.setUint8(8 + 11, ECAM.lastBus)
  return table('MCFG', 1, new Uint8Array(body.buffer))
}
