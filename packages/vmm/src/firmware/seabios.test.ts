/** SeaBIOS itself, on any KVM: it needs nothing that an emulated one lacks. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { ControlClient } from '../control/client.ts'
import { PSEUDO } from '../rfb/protocol.ts'
import { dial, TestClient } from '../rfb/testing/client.ts'
import { usableKvm } from '../testing/usable-kvm.ts'
import { FIRMWARE_FILES } from './images.ts'
import { bootProgram, bootSectorDisk, echoDisk } from './testing/boot-sector.ts'

const MAIN = new URL('../main.ts', import.meta.url).pathname
const folder = mkdtempSync(path.join(os.tmpdir(), 'seabios-'))
after(() => rmSync(folder, { recursive: true }))
let runs = 0

const usable = usableKvm && existsSync(FIRMWARE_FILES.bios)

/**
 * Runs until the guest powers off; answers what it printed and what the firmware said. `heard` gets what it printed so
 * far, until it says that it has heard enough.
 */
async function boot(
  args: readonly string[],
  heard: (output: string) => boolean = () => true,
): Promise<{ code: unknown; output: string; said: string }> {
  const log = path.join(folder, `firmware-${runs++}.log`)
  const child = spawn(process.execPath, [MAIN, 'run', ...args, '--firmware-log', log], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let enough = false
  child.stdout.on('data', (chunk) => {
    output += chunk
    if (!enough) enough = heard(output)
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  // A BIOS that finds nothing to start tries again for ever.
  const limit = setTimeout(() => child.kill(), 120_000)
  const code = await new Promise((resolve) => child.on('close', resolve))
  clearTimeout(limit)
  return { code, output, said: readFileSync(log, 'utf8') }
}

test('a disk given alone starts by its boot sector, which reads on and prints through the BIOS', {
  skip: !usable && 'needs /dev/kvm and the package seabios',
}, async () => {
  const disk = path.join(folder, 'disk.raw')
  writeFileSync(disk, bootSectorDisk('read by int 13h, printed by int 10h'))
  // More than fits below the PCI configuration window, so that RAM is split.
  const { code, output, said } = await boot(['--disk', `${disk},ro`, '--memory', '3G', '--cpus', '2'])
  assert.equal(code, 0, output)
  assert.match(output, /Press ESC for boot menu/)
  assert.match(output, /read by int 13h, printed by int 10h/)
  assert.match(said, /Found 2 cpu\(s\)/)
  assert.match(said, /1: \/pci@i0cf8\/scsi@a\/disk@0,0/)
  assert.match(said, /addr 0x0000000100000000 len 0x0000000040000000 \[RAM\]/)
  assert.match(said, /ACPI: parse DSDT/)
  assert.doesNotMatch(said, /WARNING|Unable|internal error/i)
})

test('an empty disk is passed over, and the CD-ROM behind it starts', {
  skip: !usable && 'needs /dev/kvm and the package seabios',
}, async () => {
  const disk = path.join(folder, 'empty.raw')
  writeFileSync(disk, new Uint8Array(1024 * 1024))
  const tree = path.join(folder, 'tree')
  mkdirSync(tree)
  writeFileSync(path.join(tree, 'boot.img'), bootProgram('started from a CD-ROM'))
  const iso = path.join(folder, 'disc.iso')
  const made = spawnSync('genisoimage', ['-quiet', '-o', iso, '-b', 'boot.img', '-no-emul-boot', tree])
  assert.equal(made.status, 0, String(made.stderr))
  const { code, output, said } = await boot(['--disk', disk, '--cdrom', iso, '--memory', '64M'])
  assert.equal(code, 0, output)
  assert.match(output, /started from a CD-ROM/)
  assert.match(said, /virtio-scsi vendor='HEARTH' product='CD-ROM'/)
})

test('what the BIOS and its programs write is seen on the screen, also after the machine was saved and restored', {
  skip: (!usable || !existsSync(FIRMWARE_FILES.video)) && 'needs /dev/kvm and the package seabios',
}, async () => {
  const disk = path.join(folder, 'stays.raw')
  writeFileSync(disk, bootSectorDisk('seen on the screen', { stays: true }))
  const [display, control, saved] = ['display', 'control', 'saved'].map((name) => path.join(folder, name))
  const machine = ['--display', `unix:${display}`, '--control', `unix:${control}`, '--disk', `${disk},ro`]
  const run = (
    args: readonly string[],
  ): { child: ChildProcess; printed: (text: string) => Promise<void> } => {
    const child = spawn(process.execPath, [MAIN, 'run', '--no-jail', ...machine, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
      })
    }
    const printed = async (text: string): Promise<void> => {
      while (!output.includes(text)) {
        if (child.exitCode !== null) assert.fail(output)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    return { child, printed }
  }
  const watch = async (): Promise<TestClient> => {
    const client = new TestClient(await dial(display!))
    await client.connect()
    client.setEncodings(16, PSEUDO.EXTENDED_DESKTOP_SIZE, PSEUDO.FENCE, PSEUDO.CONTINUOUS_UPDATES)
    await client.until(() => client.messages.some((message) => message[0] === 150))
    client.continuousUpdates()
    return client
  }
  /** Lines of the BIOS's text, 16 pixels high each, that have something in them. */
  const lines = ({ picture: { pixels, width } }: TestClient): number[] => {
    const lit = new Set<number>()
    for (const [i, pixel] of pixels.entries()) {
      if ((pixel & 0xff_ffff) !== 0) lit.add(Math.floor(i / width / 16))
    }
    return [...lit].sort((a, b) => a - b)
  }

  const first = run(['--memory', '64M'])
  try {
    await first.printed('seen on the screen')
    const client = await watch()
    // The BIOS's name, what it starts from, and the program's line.
    await client.until(() => lines(client).length >= 3)
    assert.ok(client.picture.width >= 640)
    const { pixels } = client.picture
    const connection = await ControlClient.connect(control!)
    await connection.snapshot({ folder: saved!, after: 'quit' })
    await once(first.child, 'exit')

    const again = run(['--restore', saved!])
    try {
      const other = await watch()
      await other.until(
        () => Buffer.compare(Buffer.from(other.picture.pixels.buffer), Buffer.from(pixels.buffer)) === 0,
      )
    } finally {
      again.child.kill()
    }
  } finally {
    first.child.kill()
  }
})

test("keys of the screen's viewers reach BIOS programs, through a PS/2 keyboard", {
  skip: !usable && 'needs /dev/kvm and the package seabios',
}, async () => {
  const disk = path.join(folder, 'keys.raw')
  writeFileSync(disk, echoDisk('type:'))
  const display = path.join(folder, 'keys')
  const typed = (async () => {
    const client = new TestClient(await dial(display))
    await client.connect()
    return client
  })()
  const ended = boot(
    ['--disk', `${disk},ro`, '--memory', '64M', '--display', `unix:${display}`],
    (output) => {
      if (!output.includes('type:')) return false
      void typed.then((client) => {
        // A capital with Shift by its keys, characters without scancodes, and an end.
        const press = (scancode: number, down: boolean): void => client.key(0, down, scancode)
        press(0x2a, true)
        for (const down of [true, false]) press(0x23, down)
        press(0x2a, false)
        for (const character of 'i! 7q') {
          for (const down of [true, false]) client.key(character.charCodeAt(0), down)
        }
      })
      return true
    },
  )
  const { code, output } = await ended
  assert.equal(code, 0, output)
  assert.match(output, /type:\s+Hi! 7q/)
})
