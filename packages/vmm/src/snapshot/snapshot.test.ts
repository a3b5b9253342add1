/** A snapshot of a running machine and the process that goes on from it, with guests of a few instructions on any KVM. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import type { VmSnapshot } from '@hearth/shared/vm-snapshot'
import { ControlClient } from '../control/client.ts'
import { FIRMWARE_FILES } from '../firmware/images.ts'
import { bootSectorDisk } from '../firmware/testing/boot-sector.ts'
import { GENERATION_ID } from '../machine/layout.ts'
import {
  inb,
  loadMemory,
  outb,
  powerOff,
  print,
  printRax,
  storeMemory,
  tinyKernel,
} from '../testing/tiny-guest.ts'
import { usableKvm } from '../testing/usable-kvm.ts'

const MAIN = new URL('../main.ts', import.meta.url).pathname
const folder = mkdtempSync(path.join(os.tmpdir(), 'snapshot-'))
const children = new Set<ChildProcess>()
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})
let names = 0
const fresh = (name: string): string => path.join(folder, `${name}-${names++}`)

function launch(args: readonly string[]) {
  const control = fresh('control')
  // Jailed as ever, unless a snapshot goes to a folder made then.
  const jail = args.includes('--kernel') && !args.includes('--snapshot-slot') ? ['--no-jail'] : []
  const all = [MAIN, 'run', ...jail, '--control', `unix:${control}`, ...args]
  const child = spawn(process.execPath, all)
  children.add(child)
  let stderr = ''
  let output = ''
  child.stdout.setEncoding('latin1')
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const end = new Promise<{ code: number | null; output: string; line: string }>((resolve) => {
    child.on('close', (code) =>
      resolve({ code, output, line: stderr.replace(/^.*WARNING.*\n/, '').trimEnd() }),
    )
  })
  const printed = async (text: string): Promise<void> => {
    while (!output.includes(text)) {
      if (child.exitCode !== null) assert.fail(`it ended: ${stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const client = async (): Promise<ControlClient> => {
    for (;;) {
      if (child.exitCode !== null) assert.fail(`it ended: ${stderr}`)
      const connected = await ControlClient.connect(control).catch(() => undefined)
      const status = await connected?.status().catch(() => undefined)
      if (connected && status?.state === 'running') return connected
      connected?.close()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  return { child, end, printed, client, type: (text: string) => child.stdin.write(text, 'latin1') }
}

/** Waits for a byte from the serial port and prints it plus one; see tiny-guest.test.ts. */
const echo = [
  ...[0xba, 0xfd, 0x03, 0, 0, 0xec, 0xa8, 0x01, 0x74, 0xf6],
  ...[0xba, 0xf8, 0x03, 0, 0, 0xec, 0xfe, 0xc0, 0xee],
]

/** Leaves something everywhere, waits in the middle of it, and says what is still there. */
const kernel = path.join(folder, 'kernel')
writeFileSync(
  kernel,
  tinyKernel(
    ...[storeMemory(0x18_0000, 0x6c6c6548), outb(0x70, 0x50), outb(0x71, 0x21), outb(0x3ff, 0x7e)],
    ...[print('up'), echo, echo],
    ...[loadMemory(0x18_0000), printRax(4), inb(0x71), printRax(1), inb(0x3ff), printRax(1), powerOff],
  ),
)

describe('snapshot', { skip: !usableKvm && 'no /dev/kvm here' }, () => {
  test('a machine goes on in another process where it stood: registers, memory, devices, input not yet read', async () => {
    const disk = fresh('disk')
    writeFileSync(disk, Buffer.alloc(1 << 20, 1))
    const machine = ['--memory', '32M', '--cpus', '2', '--disk', disk]
    const first = launch(['--kernel', kernel, ...machine])
    await first.printed('up')
    const client = await first.client()
    const saved = fresh('saved')
    const { memoryBytes } = await client.snapshot({ folder: saved })
    assert.ok(memoryBytes > 4096 && memoryBytes < 2 << 20, `${memoryBytes} bytes of memory`)
    assert.ok(statSync(path.join(saved, 'memory')).blocks * 512 < 4 << 20, 'sparse')
    assert.equal((await client.status()).state, 'running')
    // The machine that was saved goes on as if nothing had been.
    first.type('HA')
    assert.deepEqual(await first.end, {
      code: 0,
      output: 'upIBHell!~',
      line: 'hearth-vmm: the guest powered off',
    })

    for (const how of ['with what the snapshot says', 'with the same said again']) {
      const args = how.includes('again') ? machine : ['--disk', disk]
      const again = launch(['--restore', saved, ...args])
      await again.client()
      again.type('HA')
      assert.deepEqual(
        await again.end,
        { code: 0, output: 'IBHell!~', line: 'hearth-vmm: the guest powered off' },
        how,
      )
    }
    assert.deepEqual(readdirSync(saved).sort(), ['memory', 'vm.json'])
  })

  test('a snapshot that ends the process; one of a restored machine; a reset after it', async () => {
    const saved = fresh('slot')
    const first = launch(['--kernel', kernel, '--memory', '32M', '--snapshot-slot', saved])
    await first.printed('up')
    const slotClient = await first.client()
    // The later one takes the place of the one before.
    await slotClient.snapshot({})
    await slotClient.snapshot({ after: 'quit' })
    assert.equal((await first.end).code, 0)

    const again = fresh('again')
    const second = launch(['--restore', saved, '--snapshot-slot', again])
    second.type('H')
    await second.printed('I')
    const client = await second.client()
    await client.snapshot({ after: 'pause' })
    assert.equal((await client.status()).state, 'paused')
    assert.deepEqual(
      readFileSync(path.join(saved, 'memory')).subarray(0x18_0000, 0x18_0004).toString(),
      'Hell',
    )
    await client.request('reset')
    const end = await second.end
    assert.equal(end.code, 10)
    assert.match(end.line, /without --kernel it cannot start again/)

    const third = launch(['--restore', again, '--kernel', kernel, '--snapshot-slot', fresh('other')])
    third.type('A')
    await third.printed('BHell!~')
    assert.equal((await third.end).code, 0)
    const fourth = launch(['--restore', again, '--kernel', kernel, '--snapshot-slot', fresh('other')])
    await (await fourth.client()).request('reset')
    // Memory reads zero again and the guest starts from its beginning.
    await fourth.printed('up')
    fourth.type('HA')
    assert.match((await fourth.end).output, /upIBHell!~$/)
  })

  test('incremental snapshots have what guest and devices changed, and are put together again', async () => {
    // Changes a word before each of two letters, one of them to zero; devices write what DMA brings.
    const changing = path.join(folder, 'changing')
    writeFileSync(
      changing,
      tinyKernel(
        ...[storeMemory(0x20_0000, 0x31), storeMemory(0x30_0000, 0x32), print('up'), echo],
        ...[storeMemory(0x20_0000, 0x33), storeMemory(0x30_0000, 0), print('!'), echo],
        ...[storeMemory(0x40_0000, 0x35), print('?'), echo],
        ...[0x20_0000, 0x30_0000, 0x40_0000].flatMap((at) => [loadMemory(at), printRax(1)]),
        powerOff,
      ),
    )
    const first = launch(['--kernel', changing, '--memory', '32M'])
    await first.printed('up')
    const client = await first.client()
    const [whole, second, third] = ['whole', 'second', 'third'].map((name) => fresh(name)) as [
      string,
      string,
      string,
    ]
    await assert.rejects(client.snapshot({ folder: second, incremental: true }), /make a whole snapshot/)
    const { memoryBytes } = await client.snapshot({ folder: whole, track: true })
    first.type('A')
    await first.printed('!')
    const change = await client.snapshot({ folder: second, incremental: true, track: true })
    assert.ok(change.memoryBytes >= 8192 && change.memoryBytes < memoryBytes, `${change.memoryBytes}`)
    first.type('B')
    await first.printed('?')
    await assert.rejects(
      client.snapshot({ folder: path.join(os.tmpdir(), 'elsewhere'), incremental: true }),
      /lies beside the one before/,
    )
    await client.snapshot({ folder: third, incremental: true, after: 'quit' })
    await first.end

    const end = await (() => {
      const again = launch(['--restore', third])
      again.type('C')
      return again.end
    })()
    assert.deepEqual([end.code, end.output], [0, 'D3\x005'])
    const middle = launch(['--restore', second])
    middle.type('BC')
    assert.equal((await middle.end).output, 'C?D3\x005')
    // Without what it is based on, or with another one, it is refused.
    rmSync(whole, { recursive: true })
    assert.match((await launch(['--restore', third]).end).line, /there is no snapshot/)
    cpSync(second, whole, { recursive: true })
    assert.match((await launch(['--restore', second]).end).line, /is not the snapshot it is based on/)
  })

  test('a jailed machine brings its slot up to date with what changed', async () => {
    const changing = path.join(folder, 'changing-jailed')
    writeFileSync(
      changing,
      tinyKernel(
        ...[storeMemory(0x20_0000, 0x31), storeMemory(0x30_0000, 0x32), print('up'), echo],
        ...[storeMemory(0x20_0000, 0x33), storeMemory(0x30_0000, 0), print('!'), echo],
        ...[0x20_0000, 0x30_0000].flatMap((at) => [loadMemory(at), printRax(1)]),
        powerOff,
      ),
    )
    const slot = fresh('slot')
    const first = launch(['--kernel', changing, '--memory', '32M', '--snapshot-slot', slot])
    await first.printed('up')
    const client = await first.client()
    await assert.rejects(client.snapshot({ incremental: true }), /make a whole snapshot/)
    const { memoryBytes } = await client.snapshot({ track: true })
    const before = fresh('before')
    cpSync(slot, before, { recursive: true })
    await assert.rejects(
      client.snapshot({ folder: fresh('elsewhere'), incremental: true }),
      /a jailed monitor makes no folders/,
    )
    first.type('A')
    await first.printed('!')
    const change = await client.snapshot({ incremental: true, track: true })
    assert.ok(change.memoryBytes >= 8192 && change.memoryBytes < memoryBytes, `${change.memoryBytes}`)
    // Nothing changed since but what the devices and the vCPU touched: it stays whole.
    await client.snapshot({ incremental: true, after: 'quit' })
    await first.end

    const again = launch(['--restore', slot])
    again.type('C')
    assert.deepEqual(await again.end.then(({ code, output }) => [code, output]), [0, 'D3\x00'])
    const earlier = launch(['--restore', before])
    earlier.type('BC')
    assert.equal((await earlier.end).output, 'C!D3\x00')
  })

  test('restored as another machine the guest has another generation ID and is told; as itself it has not', async () => {
    const idBytes = 'GEN1'
    const asking = path.join(folder, 'asking')
    const shown = [loadMemory(GENERATION_ID), printRax(4), inb(0x620), printRax(1)]
    writeFileSync(asking, tinyKernel(...shown, print('up'), echo, ...shown, powerOff))
    const idOf = (text: string): string =>
      `${Buffer.from(text, 'latin1').reverse().toString('hex')}-1234-4234-8234-123456789abc`
    const args = ['--kernel', asking, '--memory', '32M', '--generation-id', idOf(idBytes)]
    const first = launch(args)
    await first.printed('up')
    const saved = fresh('saved')
    await (await first.client()).snapshot({ folder: saved, after: 'quit' })
    assert.equal((await first.end).output, `${idBytes}\0up`)
    const outputOf = async (more: readonly string[]): Promise<string> => {
      const again = launch(['--restore', saved, ...more])
      again.type('A')
      return (await again.end).output
    }
    assert.equal(await outputOf([]), `B${idBytes}\0`)
    assert.equal(await outputOf(['--generation-id', idOf('GEN2')]), 'BGEN2\x01')
    const fresher = await outputOf(['--generation-id', 'new'])
    assert.equal(fresher.length, 6)
    assert.notEqual(fresher.slice(1, 5), idBytes)
    assert.equal(fresher.at(-1), '\x01')
  })

  test('a machine with firmware goes on in the middle of it', {
    skip: !existsSync(FIRMWARE_FILES.bios) && 'needs the package seabios',
  }, async () => {
    const disk = fresh('disk')
    writeFileSync(disk, bootSectorDisk('started after a restore'))
    const machine = ['--disk', `${disk},ro`, '--memory', '64M']
    const saved = fresh('slot')
    const first = launch([...machine, '--snapshot-slot', saved])
    await first.printed('Press ESC for boot menu')
    first.type('\x1b')
    await first.printed('Select boot device')
    await (await first.client()).snapshot({ after: 'quit' })
    assert.equal((await first.end).code, 0)
    const second = launch(['--restore', saved, ...machine])
    second.type('1')
    await second.printed('started after a restore')
    assert.equal((await second.end).code, 0)

    // Reset in the middle of it, firmware begins from its beginning.
    const third = launch(['--restore', saved, ...machine])
    await (await third.client()).request('reset')
    await third.printed('Press ESC for boot menu')
    await third.printed('started after a restore')
    assert.equal((await third.end).code, 0)
  })

  test('what cannot be saved or restored is one line, and nothing is left behind', async () => {
    const first = launch(['--kernel', kernel, '--memory', '32M'])
    await first.printed('up')
    const client = await first.client()
    const saved = fresh('saved')
    await assert.rejects(client.request('snapshot'), /started without --snapshot-slot/)
    await assert.rejects(client.snapshot({ folder: 'relative' }), /is an absolute path/)
    await assert.rejects(client.snapshot({ folder }), /is there already/)
    await assert.rejects(
      client.snapshot({ folder: path.join(folder, 'none', 'x') }),
      /cannot be made \(ENOENT\)/,
    )
    await client.snapshot({ folder: saved, after: 'quit' })
    await first.end

    const document = JSON.parse(readFileSync(path.join(saved, 'vm.json'), 'utf8')) as VmSnapshot
    const broken = (change: (copy: string) => void): string => {
      const copy = fresh('broken')
      cpSync(saved, copy, { recursive: true })
      change(copy)
      return copy
    }
    const withDocument = (value: unknown): string =>
      broken((copy) =>
        writeFileSync(path.join(copy, 'vm.json'), typeof value === 'string' ? value : JSON.stringify(value)),
      )
    const [vcpu] = document.vcpus
    const anotherDisk = fresh('disk')
    writeFileSync(anotherDisk, Buffer.alloc(4096))
    for (const [args, code, pattern] of [
      [['--restore', path.join(folder, 'none')], 1, /there is no snapshot: vm.json is missing/],
      [['--restore', saved, '--cpus', '2'], 1, /the snapshot has --cpus 1 --memory 32M/],
      [['--restore', saved, '--disk', anotherDisk], 1, /slot 10 had nothing .* has virtio-block now/],
      [
        ['--restore', broken((copy) => truncateSync(path.join(copy, 'memory'), 4096))],
        1,
        /memory has 4096 bytes/,
      ],
      [['--restore', withDocument('{')], 1, /vm.json is not JSON/],
      [['--restore', withDocument({ ...document, v: 2 })], 1, /written by a newer Hearth/],
      [['--restore', withDocument({ ...document, uart: {} })], 1, /its "uart\.\w+" is not right/],
      [['--restore', withDocument({ ...document, vcpus: [{ ...vcpu, regs: 'AAAA' }] })], 1, /"vcpus.0.regs"/],
      [['--restore', withDocument({ ...document, vcpus: [vcpu, vcpu] })], 1, /does not describe every vCPU/],
      [
        ['--restore', withDocument({ ...document, vcpus: [{ ...vcpu, msrs: [[0xdead_0000, '0x1']] }] })],
        2,
        /does not take MSR 0xdead0000/,
      ],
    ] as const) {
      const end = await launch(args).end
      assert.equal(end.code, code, end.line)
      assert.match(end.line, pattern)
      assert.equal(end.line.split('\n').length, 1, end.line)
    }
    assert.ok(!existsSync(`${saved}.partial`))
  })
})
