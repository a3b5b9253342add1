/**
 * A screen for Debian's unmodified generic kernel, inside the lab: virtio-gpu and virtio-input are found by its own
 * drivers, the console's picture reaches a viewer over RFB, keys and pointer reach the guest, its size can be changed.
 * Screenshots stay in the folder HEARTH_SCREENSHOTS names, if it does.
 */
import assert from 'node:assert/strict'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import type { LabProcess } from '../../../../infra/lab/lab-process.ts'
import { sharedLab, sharedScratch } from '../../../../infra/lab/shared.ts'
import { cacheDirectory, inRepository } from '../../../../infra/lib/paths.ts'
import { BOOT_MS, LabGuest } from '../testing/lab-guest.ts'
import { graphicsInitrd, graphicsKernel } from './testing/graphics-guest.ts'

const SOCKET = '/tmp/display-test.sock'

let lab: Lab
let folder: string
let guest: LabGuest

/** The viewer program in the lab: commands in, JSON out. */
class ConsoleClient {
  private readonly process: LabProcess
  private readonly answers: string[] = []
  private rest = ''
  private errors = ''
  private wake: () => void = () => {}

  constructor(encoding: number) {
    const program = inRepository('packages/vmm/src/display/testing/console-client.ts')
    this.process = lab.spawn('node', [program, SOCKET, String(encoding)], {
      stdin: true,
      onStdout: (chunk) => {
        const lines = (this.rest + chunk.toString()).split('\n')
        this.rest = lines.pop()!
        this.answers.push(...lines)
        this.wake()
      },
      onStderr: (chunk) => {
        this.errors += chunk.toString()
      },
    })
  }

  async answer(): Promise<Record<string, number>> {
    const deadline = Date.now() + BOOT_MS
    while (this.answers.length === 0) {
      if (Date.now() > deadline) assert.fail(`the viewer says nothing\n${this.errors}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return JSON.parse(this.answers.shift()!) as Record<string, number>
  }

  async command(line: string): Promise<Record<string, number>> {
    const { stdin } = await this.process.started
    stdin!.write(`${line}\n`)
    return this.answer()
  }

  async shot(name: string): Promise<Record<string, number>> {
    const file = path.join(folder, `${name}.png`)
    await this.command('settle 1000')
    const result = await this.command(`shot ${file}`)
    const keep = process.env.HEARTH_SCREENSHOTS
    if (keep !== undefined) await copyFile(file, path.join(keep, `display-${name}.png`))
    return result
  }

  stop(): Promise<unknown> {
    return this.process.stop()
  }
}

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  folder = path.join(sharedScratch(), 'display')
  await mkdir(folder)
  const kernel = await graphicsKernel(cacheDirectory)
  const initrd = path.join(folder, 'initrd')
  await writeFile(initrd, await graphicsInitrd(kernel.modules))
  // Without mitigations: patching them in takes the emulated CPU seconds, and nothing here is about them.
  guest = new LabGuest(lab, [
    ...['--kernel', kernel.vmlinuz, '--initrd', initrd, '--memory', '512M'],
    ...[
      '--cmdline',
      'console=ttyS0 console=tty0 mitigations=off',
      '--display',
      `unix:${SOCKET}`,
      '--name',
      'Screen',
    ],
  ])
  await guest.until(/GUEST UP .*card0[\s\S]*guest# /)
})

after(async () => {
  await guest?.process.stop()
})

describe('a screen for Debian’s kernel', () => {
  test('the drivers find a screen, a keyboard and a tablet', async () => {
    const devices = await guest.shell('cat /proc/bus/input/devices')
    assert.match(devices, /Hearth Keyboard/)
    assert.match(devices, /Hearth Tablet/)
    assert.match(await guest.shell('cat /sys/class/drm/card0-Virtual-1/modes'), /1280x800\n[\s\S]*1920x1080/)
    assert.doesNotMatch(await guest.shell('dmesg'), /virtio_gpu.*ERROR/)
  })

  for (const [name, encoding] of [
    ['tight', 7],
    ['zrle', 16],
  ] as const) {
    test(`the console is seen in ${name}, and what is typed there is done`, async () => {
      const viewer = new ConsoleClient(encoding)
      assert.deepEqual(await viewer.answer(), { name: 'Screen', width: 1280, height: 800 })
      const first = await viewer.shot(`${name}-console`)
      assert.ok(first.colours! >= 2, 'more than one colour: there is text')
      await viewer.command(`type echo typed $((40+2)) {${name}} > /tmp/${name}\\n`)
      const typed = await guest.shell(`until [ -s /tmp/${name} ]; do sleep 0.2; done; cat /tmp/${name}`)
      assert.equal(typed.trim(), `typed 42 {${name}}`)
      await viewer.shot(`${name}-typed`)
      await viewer.stop()
    })
  }

  test('scancodes, buttons and the wheel arrive as events', async () => {
    const viewer = new ConsoleClient(16)
    await viewer.answer()
    // Events are 24 bytes: two u64 of time, u16 type, u16 code, i32 value. dd makes its file once it listens.
    const listen = (name: string, file: string, events: number): Promise<string> =>
      guest.shell(
        `for i in /sys/class/input/event*; do grep -q '${name}' $i/device/name && n=\${i##*/}; done; (dd if=/dev/input/$n bs=24 count=${events} of=${file} 2> /dev/null &); until [ -e ${file} ]; do sleep 0.1; done`,
      )
    const heard = async (file: string, events: number): Promise<string[]> => {
      const dump = await guest.shell(
        `until [ $(stat -c %s ${file}) -ge ${events * 24} ]; do sleep 0.1; done; hexdump -v -e '12/2 "%u " "\\n"' ${file}`,
      )
      return dump
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).slice(8, 11).join(' '))
    }
    await listen('Hearth Keyboard', '/tmp/keys', 4)
    // F12 does nothing on the console.
    await viewer.command('key 58')
    assert.deepEqual(await heard('/tmp/keys', 4), ['1 88 1', '0 0 0', '1 88 0', '0 0 0'])
    await listen('Hearth Tablet', '/tmp/tablet', 6)
    await viewer.command('pointer 1279 0 0')
    await viewer.command('pointer 1279 0 1')
    await viewer.command('pointer 1279 0 0')
    assert.deepEqual(await heard('/tmp/tablet', 6), [
      ...['3 0 32767', '0 0 0'],
      ...['1 272 1', '0 0 0'],
      ...['1 272 0', '0 0 0'],
    ])
    await viewer.stop()
  })

  test('the viewer’s wish reaches the guest, and a guest’s own choice reaches the viewer', async () => {
    const viewer = new ConsoleClient(7)
    await viewer.answer()
    await viewer.command('resize 1024 768')
    const modes = '/sys/class/drm/card0-Virtual-1/modes'
    await guest.shell(`until head -1 ${modes} | grep -q 1024x768; do sleep 0.2; done`)
    // The console's own driver takes the new mode, and the picture the viewer has is of that size.
    await viewer.command('until 1024 768')
    assert.equal((await viewer.shot('resized')).width, 1024)
    await viewer.stop()
  })

  test('the guest powers off and the process ends well, its socket gone', async () => {
    await guest.type('poweroff -f\n')
    assert.deepEqual((await guest.end()).code, 0)
    const gone = await lab.run('ls', [SOCKET])
    assert.notEqual(gone.code, 0)
  })
})
