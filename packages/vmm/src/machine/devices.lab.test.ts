/** Debian's generic kernel, which has the drivers that its cloud kernel lacks, with the devices that need them. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, test } from 'node:test'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import { debianKernel } from '../../../../infra/lab/debian-kernel.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../../infra/lab/shared.ts'
import { bootableKernel } from '../../../../infra/lab/vmlinux.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { BOOT_MS, GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'

const FOLDER = `${sharedLabData}/devices-test`
const guests: LabGuest[] = []
afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.process.stop(1000)
})

test('restored as another machine a guest makes new random numbers; one that hangs is switched off by its watchdog', async () => {
  await buildPrograms()
  const lab = await sharedLab()
  const launch = (args: readonly string[]): LabGuest => {
    const guest = new LabGuest(lab, ['--no-jail', '--control', `unix:${FOLDER}/control`, ...args])
    guests.push(guest)
    return guest
  }
  const folder = path.join(sharedScratch(), 'devices')
  await mkdir(folder)
  await lab.run('mkdir', ['-p', FOLDER])
  const kernel = await debianKernel(cacheDirectory, 'amd64', () => {})
  const initrd = path.join(folder, 'initrd')
  await writeFile(initrd, await guestInitrd(kernel.modules, ['vmgenid', 'i6300esb']))
  const vmlinux = await bootableKernel(cacheDirectory, kernel, () => {})
  const first = launch([
    ...['--kernel', vmlinux, '--initrd', initrd, '--cmdline', `${GUEST_CMDLINE} run=shell`],
    ...['--memory', '256M', '--watchdog', 'poweroff'],
  ])
  await first.until(/guest# /)
  assert.doesNotMatch(await first.shell('dmesg'), /virtual machine fork/)
  const save = `
    const socket = require('node:net').connect('${FOLDER}/control')
    socket.write(JSON.stringify({ id: 1, method: 'snapshot', params: { folder: '${FOLDER}/saved', after: 'quit' } }) + '\\n')
    socket.on('close', () => process.exit())`
  const { code, stderr } = await lab.run('node', ['-e', save], { timeoutMs: BOOT_MS })
  assert.equal(code, 0, stderr)
  assert.equal((await first.end()).code, 0)
  const second = launch(['--restore', `${FOLDER}/saved`, '--generation-id', 'new', '--watchdog', 'poweroff'])
  await second.type('\n')
  await second.until(/guest# /)
  assert.match(await second.shell('dmesg'), /crng reseeded due to virtual machine fork/)
  // Opened, and fed too late.
  await second.type('watchdog -T 2 -t 600 /dev/watchdog\n')
  const { code: crashed, line } = await second.end()
  assert.equal(crashed, 11)
  assert.match(line, /did not reload its watchdog in time$/)
})
