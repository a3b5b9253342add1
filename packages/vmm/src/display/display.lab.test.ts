/**
 * A screen for Debian's unmodified generic kernel in the lab: a frame buffer before any driver, then its own drivers for
 * virtio-gpu and virtio-input. What is drawn to /dev/fb0 reaches a viewer pixel for pixel, keys and pointer reach the
 * guest, it follows the viewer's size, and suspended with its picture it goes on in another process.
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
import { bootableKernel } from '../../../../infra/lab/vmlinux.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { BOOT_MS, GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'
import { LabViewer } from './testing/lab-viewer.ts'

const FOLDER = `${sharedLabData}/display-test`
const [DISPLAY, CONTROL, SAVED] = [`${FOLDER}/display`, `${FOLDER}/control`, `${FOLDER}/saved`]
const [WIDTH, HEIGHT] = [1280, 800]
const SIZE = { width: WIDTH, height: HEIGHT }
const [TIGHT, ZRLE] = [7, 16]

let lab: Lab
let guest: LabGuest
let viewer: LabViewer | undefined
let boot: string[]

/** Areas of one colour, a gradient, and something no encoder can make small. */
const picture = Uint32Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
  const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)]
  if (x < 400) return [0xc02020, 0x20c020, 0x2020c0, 0xf0f0f0][(y >> 6) & 3]!
  if (x < 900) return ((x & 0xff) << 16) | ((y & 0xff) << 8) | ((x + y) & 0xff)
  return y < 100 ? Math.imul(i, 0x9e3779b1) >>> 8 : 0x102030
})
const pictureHash = createHash('sha256').update(new Uint8Array(picture.buffer)).digest('hex')

const machine = [
  '--display',
  `unix:${DISPLAY}`,
  '--control',
  `unix:${CONTROL}`,
  '--name',
  'Screen',
  '--no-jail',
]

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  const scratch = path.join(sharedScratch(), 'display')
  await mkdir(scratch)
  const debian = await debianKernel(cacheDirectory, 'amd64')
  const kernel = await bootableKernel(cacheDirectory, debian, () => {})
  const initrd = path.join(scratch, 'initrd')
  const drivers = ['virtio-gpu', 'virtio_input', 'evdev']
  await writeFile(
    initrd,
    await guestInitrd(
      debian.modules,
      drivers,
      new Map([['picture.gz', gzipSync(new Uint8Array(picture.buffer))]]),
      new URL('./testing/graphics-init.sh', import.meta.url),
    ),
  )
  await lab.run('mkdir', ['-p', FOLDER])
  boot = ['--kernel', kernel, '--initrd', initrd, '--cmdline', `${GUEST_CMDLINE} mitigations=off`]
  guest = new LabGuest(lab, [...boot, '--memory', '256M', ...machine])
})

after(async () => {
  await viewer?.stop()
  await guest?.process.stop(1000)
})

test('before any driver, the kernel has a screen and a keyboard', async () => {
  const [, driver] = await guest.until(/EARLY (.*) 1280,800/)
  assert.match(driver!, /VESA/)
  viewer = new LabViewer(lab, DISPLAY, TIGHT)
  assert.deepEqual(await viewer.answer(), { name: 'Screen', ...SIZE })
  assert.deepEqual(await viewer.command(`until-hash ${pictureHash}`), SIZE)
  await viewer.command('type good morning\\n')
  await guest.until(/TYPED good morning\r/)
})

test('the driver takes it over, and what it draws is seen pixel for pixel', async () => {
  await guest.type('\n')
  const [, driver] = await guest.until(/GUEST UP (\S+) 1280,800[\s\S]*guest# /)
  assert.match(driver!, /virtio_gpu/)
  assert.deepEqual(await viewer!.command(`until-hash ${pictureHash}`), SIZE)
  // The frame buffer of before is gone: the picture above is the driver's.
  assert.equal((await guest.shell('ls /sys/class/graphics | grep -c "^fb[0-9]"')).trim(), '1')
})

test('scancodes, buttons and the wheel arrive as events', async () => {
  const devices = await guest.shell('cat /proc/bus/input/devices')
  assert.match(devices, /Hearth Keyboard/)
  assert.match(devices, /Hearth Tablet/)
  // Events are 24 bytes: two u64 of time, u16 type, u16 code, i32 value. dd makes its file once it listens.
  const listen = (name: string, file: string, events: number): Promise<string> =>
    guest.shell(
      `for i in /sys/class/input/event*; do grep -q '${name}' $i/device/name && n=\${i##*/}; done; (dd if=/dev/input/$n bs=24 count=${events} of=${file} 2> /dev/null &); until [ -e ${file} ]; do sleep 0.1; done`,
    )
  const heard = async (file: string, events: number): Promise<string[]> => {
    const dump = await guest.shell(
      `until [ $(stat -c %s ${file}) -ge ${events * 24} ]; do sleep 0.1; done; hexdump -v -e '12/2 "%u " "\\n"' ${file}`,
    )
    const lines = dump.trim().split('\n')
    return lines.map((line) => line.trim().split(/\s+/).slice(8, 11).join(' '))
  }
  await listen('Hearth Keyboard', '/keys', 4)
  await viewer!.command('key 58')
  assert.deepEqual(await heard('/keys', 4), ['1 88 1', '0 0 0', '1 88 0', '0 0 0'])
  await listen('Hearth Tablet', '/tablet', 6)
  await viewer!.command('pointer 1279 0 0')
  await viewer!.command('pointer 1279 0 1')
  await viewer!.command('pointer 1279 0 0')
  assert.deepEqual(await heard('/tablet', 6), [
    ...['3 0 32767', '0 0 0'],
    ...['1 272 1', '0 0 0'],
    ...['1 272 0', '0 0 0'],
  ])
})

test('text that is typed arrives whole in a guest whose processor is taken', async () => {
  // Nobody reads the keys as quickly as they come: two programs never rest.
  await guest.shell('for i in 1 2; do (while :; do :; done) & echo $! >> /hogs; done')
  const text = 'a quick brown fox jumps over the lazy dog '.repeat(8)
  const events = text.length * 4
  await guest.shell(
    `for i in /sys/class/input/event*; do grep -q 'Hearth Keyboard' $i/device/name && n=\${i##*/}; done; (dd if=/dev/input/$n bs=24 count=${events} of=/typed 2> /dev/null &); until [ -e /typed ]; do sleep 0.1; done`,
  )
  await viewer!.command(`type ${text}`)
  const dump = await guest.shell(
    `until [ $(stat -c %s /typed) -ge ${events * 24} ]; do sleep 0.2; done; kill $(cat /hogs); hexdump -v -e '12/2 "%u " "\\n"' /typed | cut -d ' ' -f 9-11 | sort | uniq -c`,
  )
  const counts = dump
    .trim()
    .split('\n')
    .map((line) => line.trim())
  // Presses, releases and ends of a group, and no SYN_DROPPED, which would be "0 3 0".
  assert.ok(counts.includes(`${text.length * 2} 0 0 0`), dump)
  assert.ok(!counts.some((line) => line.endsWith(' 0 3 0')), dump)
  const times = (key: number): string[] => counts.filter((line) => line.includes(` 1 ${key} `))
  const os = [...text].filter((character) => character === 'o').length
  assert.deepEqual(times(24), [`${os} 1 24 0`, `${os} 1 24 1`])
})

test('suspended with its screen, it goes on in another process with the same picture', async () => {
  await guest.shell('echo kept > /kept')
  const script = `
    const connection = require('node:net').connect('${CONTROL}')
    connection.write(JSON.stringify({ id: 1, method: 'snapshot', params: { folder: '${SAVED}', after: 'quit' } }) + '\\n')
    require('node:readline').createInterface(connection).on('line', (line) => {
      if (JSON.parse(line).id === 1) { console.log(line); process.exit() }
    })`
  const { stdout } = await lab.run('node', ['-e', script], { timeoutMs: BOOT_MS })
  assert.equal(JSON.parse(stdout).ok, true, stdout)
  await guest.end()
  await viewer!.stop()

  guest = new LabGuest(lab, ['--restore', SAVED, ...machine])
  assert.equal((await guest.shell('cat /kept')).trim(), 'kept')
  viewer = new LabViewer(lab, DISPLAY, ZRLE)
  assert.deepEqual(await viewer.answer(), { name: 'Screen', ...SIZE })
  assert.deepEqual(await viewer.command(`until-hash ${pictureHash}`), SIZE)
  // And the driver still draws. In one write: of a write that lies in one line and ends with it, Linux 6.1 to 6.12 take
  // the part to be shown for empty (fbdev's drm_fb_helper_memory_range_to_clip), so that line would stay as it was.
  await guest.shell(`dd if=/dev/zero of=/dev/fb0 bs=${picture.byteLength} count=1`)
  const black = createHash('sha256').update(new Uint8Array(picture.byteLength)).digest('hex')
  assert.deepEqual(await viewer.command(`until-hash ${black}`), SIZE)
})

test('the viewer’s wish reaches the guest', async () => {
  await viewer!.command('resize 1024 768')
  const modes = '/sys/class/drm/card0-Virtual-1/modes'
  await guest.shell(`until head -1 ${modes} | grep -q 1024x768; do sleep 0.2; done`)
  assert.doesNotMatch(await guest.shell('dmesg'), /virtio_gpu.*ERROR/)
})

test('the guest powers off, the process ends well and its socket is gone', async () => {
  await guest.type('poweroff -f\n')
  assert.equal((await guest.end()).code, 0)
  assert.notEqual((await lab.run('ls', [DISPLAY])).code, 0)
})

test('with two screens Linux draws on both, and a viewer has them side by side', async () => {
  await viewer!.stop()
  guest = new LabGuest(lab, [...boot, '--memory', '256M', ...machine, '--screens', '2'])
  await guest.until(/EARLY (.*) 1280,800/)
  viewer = new LabViewer(lab, DISPLAY, TIGHT)
  await viewer.answer()
  await guest.type('\n')
  const [, width, height] = await guest.until(/GUEST UP virtio_gpu\S* (\d+),(\d+)[\s\S]*guest# /)
  assert.equal((await guest.shell('ls /sys/class/drm | grep -c Virtual')).trim(), '2')
  const both = { width: 2 * Number(width), height: Number(height) }
  assert.deepEqual(await viewer.command(`until ${both.width} ${both.height}`), both)
  await guest.type('poweroff -f\n')
  assert.equal((await guest.end()).code, 0)
})
