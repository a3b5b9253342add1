/** OpenFirmware paths, by which fw_cfg's `bootorder` file names devices to SeaBIOS and OVMF. */
import { PCI_SLOT } from '../machine/layout.ts'

/** The virtio-blk disk that was given as number `index`. */
export const diskBootPath = (index: number): string =>
  `/pci@i0cf8/scsi@${(PCI_SLOT.firstDisk + index).toString(16)}/disk@0,0`
