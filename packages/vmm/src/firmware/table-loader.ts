/**
 * How ACPI tables reach a guest with firmware: as files, and a script by which the firmware places them and mends
 * their addresses and checksums (qemu hw/acpi/bios-linker-loader.c, which SeaBIOS and OVMF execute).
 */
import { type AcpiMachine, CHECKSUM, layTables, RSDP_SIZE, rsdp } from '../acpi/tables.ts'

export const ACPI_FILE = {
  tables: 'etc/acpi/tables',
  rsdp: 'etc/acpi/rsdp',
  /** A page for the VM generation ID, and where firmware tells its address (qemu docs/specs/vmgenid.rst). */
  generationId: 'etc/vmgenid_guid',
  generationIdAddress: 'etc/vmgenid_addr',
  loader: 'etc/table-loader',
} as const

/** Sizes are told before the content is known: these hold the largest machine. Commands of zeroes do nothing. */
export const TABLES_BYTES = 32 * 1024
const COMMAND_BYTES = 128
export const LOADER_BYTES = 64 * COMMAND_BYTES
const FILE_BYTES = 56

const COMMAND = { ALLOCATE: 1, ADD_POINTER: 2, ADD_CHECKSUM: 3, WRITE_POINTER: 4 } as const
const ZONE = { HIGH: 1, FSEG: 2 } as const
/** The RSDP's pointers (ACPI 6.5, 5.2.5.3). */
const RSDP = { rsdt: 16, xsdt: 24, firstLength: 20 } as const

/**
 * Where in its page the generation ID lies: OVMF looks whether what a pointer leads to is a table, and a table's
 * header of zeroes before it says no.
 */
export const GENERATION_ID_FILE = { bytes: 4096, offset: 40, addressBytes: 8 } as const

export interface AcpiFiles {
  readonly tables: Uint8Array
  readonly rsdp: Uint8Array
  readonly loader: Uint8Array
}

export function acpiFiles(machine: Omit<AcpiMachine, 'generationId'>): AcpiFiles {
  const set = layTables({ ...machine, generationId: GENERATION_ID_FILE.offset }, 0)
  if (set.bytes.length > TABLES_BYTES) throw new RangeError('the ACPI tables do not fit their file')
  const tables = new Uint8Array(TABLES_BYTES)
  tables.set(set.bytes)
  const root = rsdp(set.rsdt, set.xsdt)
  const script = new Script()
  script.allocate(ACPI_FILE.tables, 64, ZONE.HIGH)
  script.allocate(ACPI_FILE.rsdp, 16, ZONE.FSEG)
  script.allocate(ACPI_FILE.generationId, GENERATION_ID_FILE.bytes, ZONE.HIGH)
  script.addPointer(ACPI_FILE.tables, ACPI_FILE.generationId, set.generationIdAt, 4)
  script.writePointer(ACPI_FILE.generationIdAddress, ACPI_FILE.generationId, GENERATION_ID_FILE.addressBytes)
  for (const { at, size } of set.pointers) script.addPointer(ACPI_FILE.tables, ACPI_FILE.tables, at, size)
  script.addPointer(ACPI_FILE.rsdp, ACPI_FILE.tables, RSDP.rsdt, 4)
  script.addPointer(ACPI_FILE.rsdp, ACPI_FILE.tables, RSDP.xsdt, 8)
  for (const { offset, length } of set.tables) {
    const patched = [set.generationIdAt, ...set.pointers.map(({ at }) => at)]
    if (!patched.some((at) => at >= offset && at < offset + length)) continue
    // Zero before, so that it makes no difference whether firmware adds to the byte or replaces it.
    tables[offset + CHECKSUM.table] = 0
    script.addChecksum(ACPI_FILE.tables, offset + CHECKSUM.table, offset, length)
  }
  root[CHECKSUM.rsdp] = 0
  root[CHECKSUM.rsdpExtended] = 0
  script.addChecksum(ACPI_FILE.rsdp, CHECKSUM.rsdp, 0, RSDP.firstLength)
  script.addChecksum(ACPI_FILE.rsdp, CHECKSUM.rsdpExtended, 0, RSDP_SIZE)
  return { tables, rsdp: root, loader: script.bytes }
}

/** struct BiosLinkerLoaderEntry, little endian, one after the other. */
class Script {
  readonly bytes = new Uint8Array(LOADER_BYTES)
  private next = 0

  allocate(file: string, alignment: number, zone: number): void {
    const view = this.command(COMMAND.ALLOCATE)
    this.file(4, file)
    view.setUint32(4 + FILE_BYTES, alignment, true)
    view.setUint8(8 + FILE_BYTES, zone)
    this.next += COMMAND_BYTES
  }

  /** The pointer at `offset` of `file` becomes relative to where `target` was placed. */
  addPointer(file: string, target: string, offset: number, size: 4 | 8): void {
    const view = this.command(COMMAND.ADD_POINTER)
    this.file(4, file)
    this.file(4 + FILE_BYTES, target)
    view.setUint32(4 + 2 * FILE_BYTES, offset, true)
    view.setUint8(8 + 2 * FILE_BYTES, size)
    this.next += COMMAND_BYTES
  }

  /** `file`, which the guest may write, gets the address where `source` was placed. */
  writePointer(file: string, source: string, size: 4 | 8): void {
    const view = this.command(COMMAND.WRITE_POINTER)
    this.file(4, file)
    this.file(4 + FILE_BYTES, source)
    view.setUint8(12 + 2 * FILE_BYTES, size)
    this.next += COMMAND_BYTES
  }

  addChecksum(file: string, at: number, start: number, length: number): void {
    const view = this.command(COMMAND.ADD_CHECKSUM)
    this.file(4, file)
    view.setUint32(4 + FILE_BYTES, at, true)
    view.setUint32(8 + FILE_BYTES, start, true)
    view.setUint32(12 + FILE_BYTES, length, true)
    this.next += COMMAND_BYTES
  }

  private command(command: number): DataView {
    if (this.next + COMMAND_BYTES > this.bytes.length) throw new RangeError('the ACPI script is too long')
    const view = new DataView(this.bytes.buffer, this.next, COMMAND_BYTES)
    view.setUint32(0, command, true)
    return view
  }

  private file(at: number, name: string): void {
    this.bytes.set(new TextEncoder().encode(name), this.next + at)
  }
}
