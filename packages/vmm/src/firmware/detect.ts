/** Which firmware a disk was made for, by its first sectors. */
import type { FirmwareKind } from './images.ts'

const SECTOR = 512
const BOOT_CODE_BYTES = 440
const PARTITION_TABLE = 446
const GPT_ENTRIES_OFFSET = 1024
const GPT_ENTRY_BYTES = 128
const PROTECTIVE = 0xee
const MBR_EFI_SYSTEM = 0xef
/** C12A7328-F81F-11D2-BA4B-00A0C93EC93B as it lies on the disk (UEFI 2.10, table 5-7). */
const EFI_SYSTEM = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b'

/** How much of a disk `diskFirmware` looks at: both headers and all 128 GPT entries. */
export const DISK_HEAD_BYTES = 17 * 1024

/**
 * A disk with boot code in its first sector starts under a BIOS, which is quicker; one with an EFI system partition
 * and no boot code needs UEFI. Anything else is left to a BIOS, which says on the console what it misses.
 */
export function diskFirmware(head: Uint8Array): FirmwareKind {
  if (head.length < SECTOR || head[510] !== 0x55 || head[511] !== 0xaa) return 'bios'
  const hasBootCode = head.subarray(0, BOOT_CODE_BYTES).some((byte) => byte !== 0)
  return !hasBootCode && hasEfiSystemPartition(head) ? 'uefi' : 'bios'
}

function hasEfiSystemPartition(head: Uint8Array): boolean {
  const types = [0, 1, 2, 3].map((i) => head[PARTITION_TABLE + i * 16 + 4])
  if (types.includes(MBR_EFI_SYSTEM)) return true
  if (!types.includes(PROTECTIVE)) return false
  for (let at = GPT_ENTRIES_OFFSET; at + GPT_ENTRY_BYTES <= head.length; at += GPT_ENTRY_BYTES) {
    if (guid(head.subarray(at, at + 16)) === EFI_SYSTEM) return true
  }
  return false
}

/** The first three groups are little endian. */
function guid(bytes: Uint8Array): string {
  const hex = (...order: number[]): string =>
    order.map((i) => bytes[i]!.toString(16).padStart(2, '0')).join('')
  return [hex(3, 2, 1, 0), hex(5, 4), hex(7, 6), hex(8, 9), hex(10, 11, 12, 13, 14, 15)].join('-')
}
