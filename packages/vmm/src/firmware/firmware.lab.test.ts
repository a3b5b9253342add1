/** Debian's kernel started from a whole disk by GRUB, as a BIOS and as UEFI start it, inside the lab. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { before, test } from 'node:test'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import { debianKernel } from '../../../../infra/lab/debian-kernel.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../../infra/lab/shared.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { guestInitrd, LabGuest } from '../testing/lab-guest.ts'
import { makeGrubDisk } from './testing/grub-disk.ts'

let lab: Lab
let disk: string
let folder: string

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  folder = path.join(sharedScratch(), 'vmm-firmware')
  await mkdir(folder)
  const kernel = await debianKernel(cacheDirectory, 'cloud-amd64', () => {})
  const initrd = path.join(folder, 'initrd')
  await writeFile(initrd, await guestInitrd(kernel.modules))
  disk = path.join(folder, 'disk.raw')
  await makeGrubDisk(path.join(folder, 'work'), disk, {
    ...{ kernel: kernel.vmlinuz, initrd, commandLine: 'console=ttyS0 quiet run=shell' },
  })
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
  assert.deepEqual(await guest.end(), { code: 0, line: 'hearth-vmm: the guest powered off' })
})

// QEMU's software CPU ends with a failed assertion when a nested guest writes CR8 while an interrupt waits, which UEFI's
// interrupt handler does all the time: in the lab this would end everybody else's tests, too (docs/lab.md).
test('OVMF starts the same disk, and a variable set by the guest is there at the next start', {
  skip: process.env.HEARTH_TEST_UEFI === undefined && 'ends the lab: set HEARTH_TEST_UEFI to try it',
}, async () => {
  await lab.run('sh', ['-c', 'echo 100000 > /sys/module/kvm/parameters/min_timer_period_us'])
  const name = 'Hearth-12345678-1234-1234-1234-123456789abc'
  const args = ['--boot', 'uefi', '--uefi-vars', path.join(sharedLabData, 'vars.fd'), '--disk', `${disk},ro`]
  for (const round of [1, 2]) {
    const guest = new LabGuest(lab, [...args, '--memory', '512M'])
    await guest.until(/GUEST UP cpus=1/)
    await guest.shell('mount -t efivarfs none /sys/firmware/efi/efivars')
    if (round === 1) await guest.shell(`printf '\\007\\0\\0\\0kept' > /sys/firmware/efi/efivars/${name}`)
    else assert.match(await guest.shell(`cat /sys/firmware/efi/efivars/${name}`), /kept/)
    await guest.type('poweroff -f\n')
    assert.deepEqual(await guest.end(), { code: 0, line: 'hearth-vmm: the guest powered off' })
  }
})
