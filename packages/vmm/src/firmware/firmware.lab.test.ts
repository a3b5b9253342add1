/** Debian's kernel started from a whole disk by GRUB and from an ISO by isolinux, both under SeaBIOS, inside the lab (uefi.lab.test.ts has UEFI). */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import { debianKernel } from '../../../../infra/lab/debian-kernel.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../../infra/lab/shared.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'
import { makeGrubDisk } from './testing/grub-disk.ts'

let lab: Lab
let disk: string
let disc: string
let folder: string

/** An ISO image that starts by isolinux as those of distributions do. */
async function makeDisc(linux: { kernel: string; initrd: string; commandLine: string }): Promise<string> {
  const tree = path.join(folder, 'disc')
  const image = path.join(folder, 'disc.iso')
  await mkdir(tree)
  const files = [
    ['/usr/lib/ISOLINUX/isolinux.bin', 'isolinux.bin'],
    ['/usr/lib/syslinux/modules/bios/ldlinux.c32', 'ldlinux.c32'],
    [linux.kernel, 'vmlinuz'],
    [linux.initrd, 'initrd'],
  ] as const
  for (const [from, name] of files) await copyFile(from, path.join(tree, name))
  const menu = `DEFAULT linux\nLABEL linux\nKERNEL vmlinuz\nINITRD initrd\nAPPEND ${linux.commandLine}\n`
  await writeFile(path.join(tree, 'isolinux.cfg'), menu)
  const boot = [
    '-b',
    'isolinux.bin',
    '-c',
    'boot.cat',
    '-no-emul-boot',
    '-boot-load-size',
    '4',
    '-boot-info-table',
  ]
  await promisify(execFile)('genisoimage', ['-quiet', '-o', image, ...boot, tree])
  return image
}

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  folder = path.join(sharedScratch(), 'vmm-firmware')
  await mkdir(folder)
  const kernel = await debianKernel(cacheDirectory, 'cloud-amd64', () => {})
  const initrd = path.join(folder, 'initrd')
  await writeFile(initrd, await guestInitrd(kernel.modules))
  disk = path.join(folder, 'disk.raw')
  const linux = { kernel: kernel.vmlinuz, initrd, commandLine: `${GUEST_CMDLINE} run=shell` }
  await makeGrubDisk(path.join(folder, 'work'), disk, linux)
  disc = await makeDisc(linux)
})

test('SeaBIOS and GRUB start a disk that has no kernel beside it: 2 vCPUs, memory around the hole', async () => {
  const guest = new LabGuest(lab, ['--disk', `${disk},ro`, '--memory', '3G', '--cpus', '2'])
  const [, memory] = await guest.until(/GUEST UP cpus=2 memory=(\d+)\r/)
  assert.ok(Number(memory) > 2.8 * 1024 * 1024, `${memory} KiB`)
  const shown = await guest.shell('ls /sys/firmware; ls /sys/class/block; cat /proc/iomem')
  assert.doesNotMatch(shown, /\befi\b/)
  assert.match(shown, /\bvda2\b/)
  assert.match(shown, /^100000000-13fffffff : System RAM$/m)
  assert.match(shown, /PCI (MMCONFIG|ECAM) 0000/)
  await guest.type('poweroff -f\n')
  const { code, line } = await guest.end()
  assert.equal(code, 0)
  assert.match(line, /the guest powered off$/)
})

test('SeaBIOS and isolinux start an ISO in the CD-ROM drive, behind a disk that has nothing to start', async () => {
  const empty = path.join(sharedLabData, 'empty.raw')
  assert.equal((await lab.run('truncate', ['-s', '8M', empty])).code, 0)
  const guest = new LabGuest(lab, ['--disk', empty, '--cdrom', disc, '--memory', '512M'])
  await guest.until(/ISOLINUX \d/)
  await guest.until(/GUEST UP cpus=1/)
  await guest.type('poweroff -f\n')
  assert.equal((await guest.end()).code, 0)
})
