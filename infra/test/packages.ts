import type { DebianPackage } from '../lib/debian.ts'

/** What the tests need beyond what the product needs. */
export const testPackages: readonly DebianPackage[] = [
  { name: 'libnss3-tools', why: 'lets the test browser trust a certificate authority (certutil)' },
  { name: 'chromium', why: 'the browser the end-to-end tests drive' },
  { name: 'fonts-dejavu-core', why: 'glyphs for that browser' },
  { name: 'acpica-tools', why: "iasl reads the monitor's ACPI tables back" },
  { name: 'curl', why: 'runs the examples of the API documentation' },
  { name: 'jq', why: 'reads answers in the examples of the API documentation' },
  { name: 'hcloud-cli', why: 'drives the API as the command line people already have' },
  { name: 'grub-common', why: 'makes the boot loader of a test disk' },
  { name: 'grub-pc-bin', why: 'GRUB for BIOS, on a test disk' },
  { name: 'grub-efi-amd64-bin', why: 'GRUB for UEFI, on a test disk' },
  { name: 'isolinux', why: 'the boot loader of a test CD-ROM' },
  { name: 'syslinux-common', why: 'the module that boot loader loads first' },
  { name: 'zstd', why: 'puts a disk together from a backup as the documentation says, without Hearth' },
  { name: 'lz4', why: 'takes the ELF kernel out of the bzImage, to boot it by other protocols' },
  { name: 'qemu-utils', why: 'qemu-img and qemu-io judge the disk images our own engine writes' },
  { name: 'tigervnc-viewer', why: 'shows a VM’s screen as any VNC viewer would' },
  { name: 'xvfb', why: 'a screen in memory for that viewer' },
  { name: 'spice-vdagent', why: 'the real program at the guest’s end of the clipboard' },
  { name: 'xclip', why: 'copies and pastes in that test’s X server' },
  { name: 'postgresql', why: 'a real PostgreSQL under the portal’s rules' },
  { name: 'systemd', why: 'reads the units that install-service writes (systemd-analyze)' },
  { name: 'qemu-guest-agent', why: 'the real program at the other end of the guest agent’s port' },
  { name: 'openssh-client', why: 'signs in to guests as a person would' },
]
