/**
 * Puts GRUB for BIOS machines on a disk: what grub-install does when it embeds, without needing a block device.
 * `boot.img` in sector 0 loads the first sector of `core.img`, which loads the rest (grub-core/boot/i386/pc/boot.S and
 * diskboot.S name the fields).
 */
import { SECTOR } from './gpt.ts'

/** boot.S: what the MBR may hold of boot.img; behind it are the disk signature and the partition table. */
const BOOT_CODE_BYTES = 440
/** boot.S `kernel_sector`: where core.img begins, 64 bit. */
const KERNEL_SECTOR = 0x5c
/** boot.S `boot_drive_check`: a jump that, as two NOPs, believes the BIOS' drive number only if it is a hard disk's. */
const BOOT_DRIVE_CHECK = 0x66
/** diskboot.S: the last block list entry of the first sector {start: u64, sectors: u16, segment: u16}. */
const BLOCK_LIST = SECTOR - 12
/** diskboot.S: where the rest of core.img goes (GRUB_BOOT_MACHINE_KERNEL_SEG + 0x20). */
const KERNEL_SEGMENT = 0x820

/** The boot code for sector 0 of a disk whose core.img begins at `coreSector`. */
export function bootCode(bootImg: Uint8Array, coreSector: number): Buffer {
  if (bootImg.length !== SECTOR) throw new RangeError(`boot.img has ${bootImg.length} bytes, not ${SECTOR}`)
  const code = Buffer.from(bootImg.subarray(0, BOOT_CODE_BYTES))
  code.writeBigUInt64LE(BigInt(coreSector), KERNEL_SECTOR)
  code.fill(0x90, BOOT_DRIVE_CHECK, BOOT_DRIVE_CHECK + 2)
  return code
}

/** core.img as it has to lie on the disk, `sectors` long at most. */
export function embeddedCore(coreImg: Uint8Array, coreSector: number, sectors: number): Buffer {
  const used = Math.ceil(coreImg.length / SECTOR)
  if (used > sectors) throw new RangeError(`core.img needs ${used} sectors, the partition has ${sectors}`)
  const core = Buffer.alloc(used * SECTOR)
  core.set(coreImg)
  if (core.readUInt16LE(BLOCK_LIST + 10) !== KERNEL_SEGMENT) {
    throw new RangeError('core.img does not begin with diskboot.img')
  }
  core.writeBigUInt64LE(BigInt(coreSector + 1), BLOCK_LIST)
  core.writeUInt16LE(used - 1, BLOCK_LIST + 8)
  return core
}
