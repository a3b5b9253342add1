/** OpenFirmware paths, by which fw_cfg's `bootorder` file names devices to SeaBIOS and OVMF. */
import { PCI_SLOT } from '../machine/layout.ts'

/** A device as `--boot-order` names it: the disk or CD-ROM that was given as number `index`. */
export interface BootDevice {
  readonly kind: 'disk' | 'cdrom'
  readonly index: number
}

const hex = (value: number): string => value.toString(16)

const pathOf = ({ kind, index }: BootDevice): string =>
  kind === 'disk'
    ? `/pci@i0cf8/scsi@${hex(PCI_SLOT.firstDisk + index)}/disk@0,0`
    : `/pci@i0cf8/scsi@${hex(PCI_SLOT.scsi)}/channel@0/disk@${hex(index)},0`

/**
 * What to try, in order: what was asked for, else disks before discs, so that a disk still empty is installed from the
 * disc and starts by itself afterwards.
 */
export function bootPaths(order: readonly BootDevice[] | undefined, disks: number, cdroms: number): string[] {
  const all = (kind: BootDevice['kind'], count: number): BootDevice[] =>
    Array.from({ length: count }, (_, index) => ({ kind, index }))
  return (order ?? [...all('disk', disks), ...all('cdrom', cdroms)]).map(pathOf)
}

/** `cdrom,disk1,disk`: undefined when it is no such list. */
export function parseBootOrder(text: string): BootDevice[] | undefined {
  const devices: BootDevice[] = []
  for (const word of text.split(',')) {
    const match = /^(disk|cdrom)(\d{0,2})$/.exec(word)
    if (!match) return undefined
    devices.push({ kind: match[1] as BootDevice['kind'], index: Number(match[2] || 0) })
  }
  return devices
}

export const bootOrderText = (order: readonly BootDevice[]): string =>
  order.map(({ kind, index }) => (index === 0 ? kind : `${kind}${index}`)).join(',')
