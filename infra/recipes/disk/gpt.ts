/** Writes a GUID partition table (UEFI specification 2.10, chapter 5) with its protective MBR. */
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

export const SECTOR = 512
/** Both entry arrays: 128 entries of 128 bytes. */
const ENTRIES = 128
const ENTRY_BYTES = 128
const ENTRY_SECTORS = (ENTRIES * ENTRY_BYTES) / SECTOR

/** Partition types (UEFI 5.3.3 and the Discoverable Partitions Specification). */
export const partitionType = {
  biosBoot: '21686148-6449-6e6f-744e-656564454649',
  efiSystem: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
  linuxRootX8664: '4f68bce3-e8cd-4db1-96e7-fbcaf984b709',
} as const

export interface Partition {
  /** Its place in the table, from 1; need not follow the order on the disk. */
  readonly number: number
  readonly type: string
  /** Unique GUID. */
  readonly uuid: string
  /** At most 36 characters. */
  readonly name: string
  readonly firstSector: number
  readonly sectors: number
}

export interface PartitionTable {
  /** For sector 0, the header behind it and the entries: 34 sectors. */
  readonly primary: Buffer
  /** For the last 33 sectors of the disk. */
  readonly backup: Buffer
}

/** First sector a partition may use; the last is `diskSectors - 34`. */
export const FIRST_USABLE_SECTOR = 2 + ENTRY_SECTORS

/** The 440 bytes of boot code go into sector 0 before the protective partition. */
export function partitionTable(
  diskSectors: number,
  diskUuid: string,
  partitions: readonly Partition[],
  bootCode: Uint8Array = new Uint8Array(0),
): PartitionTable {
  const lastUsable = diskSectors - ENTRY_SECTORS - 2
  check(partitions, lastUsable)
  const entries = Buffer.alloc(ENTRIES * ENTRY_BYTES)
  for (const partition of partitions) writeEntry(entries, partition)
  const header = (own: number, other: number, entriesAt: number): Buffer => {
    const sector = Buffer.alloc(SECTOR)
    sector.write('EFI PART', 0, 'latin1')
    sector.writeUInt32LE(0x0001_0000, 8) // revision 1.0
    sector.writeUInt32LE(92, 12) // header bytes
    sector.writeBigUInt64LE(BigInt(own), 24)
    sector.writeBigUInt64LE(BigInt(other), 32)
    sector.writeBigUInt64LE(BigInt(FIRST_USABLE_SECTOR), 40)
    sector.writeBigUInt64LE(BigInt(lastUsable), 48)
    guid(diskUuid).copy(sector, 56)
    sector.writeBigUInt64LE(BigInt(entriesAt), 72)
    sector.writeUInt32LE(ENTRIES, 80)
    sector.writeUInt32LE(ENTRY_BYTES, 84)
    sector.writeUInt32LE(crc32(entries), 88)
    sector.writeUInt32LE(crc32(sector.subarray(0, 92)), 16)
    return sector
  }
  const last = diskSectors - 1
  return {
    primary: Buffer.concat([protectiveMbr(diskSectors, bootCode), header(1, last, 2), entries]),
    backup: Buffer.concat([entries, header(last, 1, last - ENTRY_SECTORS)]),
  }
}

function check(partitions: readonly Partition[], lastUsable: number): void {
  const byStart = partitions.toSorted((a, b) => a.firstSector - b.firstSector)
  let free = FIRST_USABLE_SECTOR
  for (const { number, name, firstSector, sectors } of byStart) {
    const problem =
      firstSector < free
        ? 'overlaps what is before it'
        : firstSector + sectors - 1 > lastUsable
          ? 'does not fit on the disk'
          : number < 1 || number > ENTRIES
            ? 'has no place in the table'
            : undefined
    if (problem) throw new RangeError(`partition ${number} (${name}) ${problem}`)
    free = firstSector + sectors
  }
}

function writeEntry(entries: Buffer, partition: Partition): void {
  const at = (partition.number - 1) * ENTRY_BYTES
  guid(partition.type).copy(entries, at)
  guid(partition.uuid).copy(entries, at + 16)
  entries.writeBigUInt64LE(BigInt(partition.firstSector), at + 32)
  entries.writeBigUInt64LE(BigInt(partition.firstSector + partition.sectors - 1), at + 40)
  entries.write(partition.name.slice(0, 36), at + 56, 'utf16le')
}

/** One partition of type 0xEE over the whole disk keeps programs that know no GPT away (UEFI 5.2.3). */
function protectiveMbr(diskSectors: number, bootCode: Uint8Array): Buffer {
  if (bootCode.length > 440) throw new RangeError(`${bootCode.length} bytes of boot code, 440 fit`)
  const sector = Buffer.alloc(SECTOR)
  sector.set(bootCode, 0)
  sector.writeUInt32LE(randomBytes(4).readUInt32LE(), 440)
  sector.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff], 446)
  sector.writeUInt32LE(1, 454)
  sector.writeUInt32LE(Math.min(diskSectors - 1, 0xffff_ffff), 458)
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}

/** The first three groups of a GUID are little endian on disk (UEFI appendix A). */
export function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex')
  if (bytes.length !== 16) throw new RangeError(`${text} is not a GUID`)
  bytes.subarray(0, 4).reverse()
  bytes.subarray(4, 6).reverse()
  bytes.subarray(6, 8).reverse()
  return bytes
}
