/** What qemu-mends.ts mends, under the conditions that show it within seconds (uefi.lab.test.ts has the other one). */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { GUEST_CMDLINE, guestInitrd, LabGuest } from '../../packages/vmm/src/testing/lab-guest.ts'
import { buildPrograms } from '../build/programs.ts'
import { cacheDirectory } from '../lib/paths.ts'
import { debianKernel } from './debian-kernel.ts'
import { sharedLab, sharedScratch } from './shared.ts'

test('an interrupt reaches a guest once, however often the lab’s CPU is kicked', async (t) => {
  const lab = await sharedLab()
  if (!lab.mended) return t.skip('this QEMU is not mended: the guest would crash (docs/lab.md)')
  await buildPrograms()
  const debian = await debianKernel(cacheDirectory, 'cloud-amd64', () => {})
  const initrd = path.join(sharedScratch(), 'mends-initrd')
  await writeFile(initrd, await guestInitrd(debian.modules))
  const guest = new LabGuest(lab, [
    ...['--kernel', debian.vmlinuz, '--initrd', initrd, '--memory', '256M', '--cpus', '2'],
    ...['--cmdline', `${GUEST_CMDLINE} run=shell`],
  ])
  try {
    await guest.until(/guest# /)
    // Interrupts at the entry of system calls are the ones a second delivery is deadly for.
    const busy = '(while :; do dd if=/dev/zero of=/dev/null bs=512 count=4000 2>/dev/null; done) & '
    await guest.shell(`${busy.repeat(3)} true`)
    // Unmended, it has never lived through 1,100 of them.
    for (let kicks = 0; kicks < 2500; kicks++) await lab.kick()
    assert.equal(await guest.shell('echo alive'), 'alive\n')
    await guest.type('poweroff -f\n')
    assert.equal((await guest.end()).code, 0)
  } finally {
    await guest.process.stop(1000)
  }
})
