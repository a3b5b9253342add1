/**
 * UEFI in the lab, with variables that are kept. A machine that starts by it has a picture from the first second on: the firmware's own, GRUB's, that of
 * Debian's kernel by efifb, and then its virtio GPU driver's. What the firmware drew on goes when the driver comes.
 * Another one, without a screen, starts with what the first one kept.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import { debianKernel } from '../../../../infra/lab/debian-kernel.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../../infra/lab/shared.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { LabViewer } from '../display/testing/lab-viewer.ts'
import { GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'
import { FIRMWARE_FILES } from './images.ts'
import { makeGrubDisk } from './testing/grub-disk.ts'

const FOLDER = `${sharedLabData}/uefi`
const DISPLAY = `${FOLDER}/display`
const VARIABLES = `${FOLDER}/vars.fd`
const SIZE = { width: 1280, height: 800 }
const TIGHT = 7
const ENTER = '1c'

let lab: Lab
let disk: string
let plainDisk: string
let guest: LabGuest
let viewer: LabViewer | undefined

const picture = Uint32Array.from({ length: SIZE.width * SIZE.height }, (_, i) => {
  const [x, y] = [i % SIZE.width, Math.floor(i / SIZE.width)]
  return x < 640 ? [0xc02020, 0x20c020, 0x2020c0][(y >> 5) % 3]! : ((x & 0xff) << 16) | ((y & 0xff) << 8)
})
const pictureHash = createHash('sha256').update(new Uint8Array(picture.buffer)).digest('hex')

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  const scratch = path.join(sharedScratch(), 'uefi')
  await mkdir(scratch)
  const kernel = await debianKernel(cacheDirectory, 'amd64')
  const initrd = path.join(scratch, 'initrd')
  const programs = new Map([['picture.gz', gzipSync(new Uint8Array(picture.buffer))]])
  const script = new URL('../display/testing/graphics-init.sh', import.meta.url)
  await writeFile(initrd, await guestInitrd(kernel.modules, ['virtio-gpu'], programs, script))
  disk = path.join(scratch, 'disk.raw')
  await makeGrubDisk(path.join(scratch, 'work'), disk, {
    ...{ kernel: kernel.vmlinuz, initrd, commandLine: `${GUEST_CMDLINE} mitigations=off` },
    question: 'What is to be started?',
  })
  const cloud = await debianKernel(cacheDirectory, 'cloud-amd64')
  const plainInitrd = path.join(scratch, 'plain-initrd')
  await writeFile(plainInitrd, await guestInitrd(cloud.modules))
  plainDisk = path.join(scratch, 'plain.raw')
  await makeGrubDisk(path.join(scratch, 'plain'), plainDisk, {
    ...{ kernel: cloud.vmlinuz, initrd: plainInitrd, commandLine: `${GUEST_CMDLINE} run=shell` },
  })
  await lab.run('mkdir', ['-p', FOLDER])
})

after(async () => {
  await viewer?.stop()
  await guest?.process.stop(1000)
})

const uefi = (from: string): string[] => [
  ...['--boot', 'uefi', '--uefi-vars', VARIABLES],
  ...['--disk', `${from},ro`, '--memory', '512M'],
]

/** As a UEFI guest, well, and with variables that the firmware has written to. */
async function powerOff(): Promise<void> {
  assert.match(await guest.shell('ls /sys/firmware'), /\befi\b/)
  await guest.type('poweroff -f\n')
  assert.equal((await guest.end()).code, 0)
  // Where it found its boot loader, at least.
  assert.equal((await lab.run('cmp', ['-s', FIRMWARE_FILES.uefiVariables, VARIABLES])).code, 1)
}

test('firmware, boot loader, kernel and driver draw on one screen, one after the other', async (t) => {
  if (!lab.mended) return t.skip('this QEMU is not mended: UEFI would end the lab (docs/lab.md)')
  const screen = ['--display', `unix:${DISPLAY}`, '--name', 'Firmware']
  guest = new LabGuest(lab, [...uefi(disk), ...screen])
  await guest.until(/What is to be started\?/)
  viewer = new LabViewer(lab, DISPLAY, TIGHT)
  assert.deepEqual(await viewer.answer(), { name: 'Firmware', ...SIZE })
  // GRUB's question in the firmware's letters.
  const { colours } = await viewer.command('until-colours 2')
  assert.ok((colours as number) >= 2, `${colours} colours`)
  // And it is answered where it was seen.
  await viewer.command(`key ${ENTER}`)

  const [, driver] = await guest.until(/EARLY (.*) 1280,800/)
  assert.match(driver!, /EFI VGA/)
  assert.deepEqual(await viewer.command(`until-hash ${pictureHash}`), SIZE)

  await guest.type('\n')
  const [, next] = await guest.until(/GUEST UP (\S+) 1280,800[\s\S]*guest# /)
  assert.match(next!, /virtio_gpu/)
  assert.deepEqual(await viewer.command(`until-hash ${pictureHash}`), SIZE)
  assert.match(await guest.shell('dmesg | grep efifb:'), /efifb: mode is 1280x800x32, linelength=5120/)
  assert.equal((await guest.shell('ls /sys/class/graphics | grep -c "^fb[0-9]"')).trim(), '1')
  await powerOff()
})

test('a machine without a screen starts with the variables that are there', async (t) => {
  if (!lab.mended) return t.skip('this QEMU is not mended: UEFI would end the lab (docs/lab.md)')
  guest = new LabGuest(lab, uefi(plainDisk))
  await guest.until(/GUEST UP cpus=1/)
  await powerOff()
})
