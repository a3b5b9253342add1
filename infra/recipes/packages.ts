import type { DebianPackage } from '../lib/debian.ts'

/** What the machine itself needs so that images can be built on it. */
export const debianPackages: readonly DebianPackage[] = [
  { name: 'mmdebstrap', why: "builds Debian images from Debian's packages" },
  { name: 'debian-archive-keyring', why: "checks that Debian's packages are Debian's" },
  { name: 'uidmap', why: 'lets a plain user build images (newuidmap)' },
  { name: 'e2fsprogs', why: "makes an image's root file system (mke2fs)" },
  { name: 'mtools', why: "makes an image's EFI system partition" },
  { name: 'busybox-static', why: "the tiny Linux image's programs" },
  { name: 'kmod', why: "finds which of the tiny Linux image's kernel modules need which (depmod)" },
  { name: 'qemu-utils', why: 'unpacks downloaded and uploaded disk images (qemu-img)' },
]
