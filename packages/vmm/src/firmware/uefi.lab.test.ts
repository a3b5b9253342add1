/**
 * A machine that starts by UEFI has a picture from the first second on, in the lab: the firmware's own, GRUB's, that of
 * Debian's kernel by efifb, and then its virtio GPU driver's. What the firmware drew on goes when the driver comes.
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
import { makeGrubDisk } from '../firmware/testing/grub-disk.ts'
import { GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'
import { LabViewer } from './testing/lab-viewer.ts'

const FOLDER = `${sharedLabData}/uefi-screen`
const DISPLAY = `${FOLDER}/display`
const SIZE = { width: 1280, height: 800 }
const TIGHT = 7
const ENTER = '1c'

let lab: Lab
let disk: string
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
  const scratch = path.join(sharedScratch(), 'uefi-screen')
  await mkdir(scratch)
  const kernel = await debianKernel(cacheDirectory, 'amd64')
  const initrd = path.join(scratch, 'initrd')
  const programs = new Map([['picture.gz', gzipSync(new Uint8Array(picture.buffer))]])
  const script = new URL('./testing/graphics-init.sh', import.meta.url)
  await writeFile(initrd, await guestInitrd(kernel.modules, ['virtio-gpu'], programs, script))
  disk = path.join(scratch, 'disk.raw')
  await makeGrubDisk(path.join(scratch, 'work'), disk, {
    ...{ kernel: kernel.vmlinuz, initrd, commandLine: `${GUEST_CMDLINE} mitigations=off` },
    question: 'What is to be started?',
  })
  await lab.run('mkdir', ['-p', FOLDER])
})

after(async () => {
  await viewer?.stop()
  await guest?.process.stop(1000)
})

test('firmware, boot loader, kernel and driver draw on one screen, one after the other', async (t) => {
  if (!lab.mended) return t.skip('this QEMU is not mended: UEFI would end the lab (docs/lab.md)')
  const screen = ['--display', `unix:${DISPLAY}`, '--name', 'Firmware']
  guest = new LabGuest(lab, ['--boot', 'uefi', '--disk', `${disk},ro`, '--memory', '512M', ...screen])
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
  await guest.type('poweroff -f\n')
  assert.equal((await guest.end()).code, 0)
})
