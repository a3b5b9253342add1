import type { DebianPackage } from '../lib/debian.ts'

/** What the machine itself needs so that a lab host can be made and started on it. */
export const debianPackages: readonly DebianPackage[] = [
  { name: 'mmdebstrap', why: 'unpacks a private QEMU 10 for the lab host, beside the system' },
  { name: 'busybox-static', why: "the lab host's first program, its shell and its command channel" },
  { name: 'kmod', why: "finds which of the lab kernel's modules need which (depmod)" },
  { name: 'xz-utils', why: "unpacks the lab kernel's image once, which halves every start of the lab" },
  { name: 'xfsprogs', why: "formats the lab host's disk, on which VM disks are instant copies (reflinks)" },
]
