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
import { GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'
import { FIRMWARE_FILES } from './images.ts'
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
    ...{ kernel: kernel.vmlinuz, initrd, commandLine: `${GUEST_CMDLINE} run=shell` },
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
  const { code, line } = await guest.end()
  assert.equal(code, 0)
  assert.match(line, /the guest powered off$/)
})

test('OVMF starts the same disk, keeps variables in its file, and starts again with them', async (t) => {
  if (!lab.mended) return t.skip('this QEMU is not mended: UEFI would end the lab (docs/lab.md)')
  const variables = path.join(sharedLabData, 'vars.fd')
  for (let round = 0; round < 2; round++) {
    const args = ['--boot', 'uefi', '--uefi-vars', variables, '--disk', `${disk},ro`, '--memory', '512M']
    const guest = new LabGuest(lab, args)
    await guest.until(/GUEST UP cpus=1/)
    assert.match(await guest.shell('ls /sys/firmware'), /\befi\b/)
    await guest.type('poweroff -f\n')
    assert.equal((await guest.end()).code, 0)
    // Where it found its boot loader, at least.
    assert.equal((await lab.run('cmp', ['-s', FIRMWARE_FILES.uefiVariables, variables])).code, 1)
  }
})
