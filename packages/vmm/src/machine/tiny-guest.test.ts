/**
 * The whole program with guests of a few instructions: threads, buses, chipset, every way to end. Runs on any KVM,
 * also where only the lab could boot a real kernel.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { vmmCountersSchema } from '@hearth/shared/vmm-control'
import { HVT_DATA, hvtKernel, hypercall, putsText } from '../boot/testing/hvt-kernel.ts'
import { multibootKernel } from '../boot/testing/multiboot-kernel.ts'
import { ControlClient } from '../control/client.ts'
import {
  COM1,
  inb,
  inl,
  loadMemory,
  outb,
  outl,
  powerOff,
  print,
  printRax,
  printString,
  readString,
  storeMemory,
  storeMemory64,
  tinyKernel,
  tripleFault,
} from '../testing/tiny-guest.ts'
import { usableKvm } from '../testing/usable-kvm.ts'

const MAIN = new URL('../main.ts', import.meta.url).pathname
const folder = mkdtempSync(path.join(os.tmpdir(), 'tiny-guest-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

function launch(code: readonly (readonly number[])[] | Uint8Array, args: readonly string[] = []) {
  const kernel = path.join(folder, `kernel-${files++}`)
  writeFileSync(kernel, code instanceof Uint8Array ? code : tinyKernel(...code))
  const child = spawn(process.execPath, [MAIN, 'run', '--kernel', kernel, '--memory', '32M', ...args])
  const stdout: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk) => stdout.push(chunk))
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const end = new Promise<{ code: number | null; output: Buffer; line: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output: Buffer.concat(stdout), line: stderr.trimEnd() }))
  })
  return { child, end, output: () => Buffer.concat(stdout).toString('latin1'), errors: () => stderr }
}

const run = (code: readonly (readonly number[])[] | Uint8Array, args?: readonly string[]) =>
  launch(code, args).end

describe('tiny guests', { skip: !usableKvm && 'no /dev/kvm here', concurrency: 2 }, () => {
  test('a guest that prints and powers off ends with code 0', async () => {
    const { code, output, line } = await run([print('hello '), printString('from one REP OUTSB'), powerOff])
    assert.deepEqual(
      [code, output.toString(), line],
      [0, 'hello from one REP OUTSB', 'hearth-vmm: the guest powered off'],
    )
  })

  test('a process that waits runs the VM it is told of on standard input, and ends when that ends', async () => {
    const kernel = path.join(folder, `kernel-${files++}`)
    writeFileSync(kernel, tinyKernel(inb(COM1), print('warm'), powerOff))
    const log = path.join(folder, 'wait.log')
    const wait = async (input: string): Promise<{ code: number | null; output: string; errors: string }> => {
      const child = spawn(process.execPath, [MAIN, 'wait'])
      let [output, errors] = ['', '']
      child.stdout.on('data', (chunk) => {
        output += chunk
      })
      child.stderr.on('data', (chunk) => {
        errors += chunk
        if (String(chunk).includes('ready for a VM')) child.stdin.end(input)
      })
      const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
      return { code, output, errors }
    }
    const run = ['--kernel', kernel, '--memory', '32M', '--cpus', '2']
    const [here, logged, none, bad] = await Promise.all([
      wait(`${JSON.stringify({ run })}\n`),
      wait(`${JSON.stringify({ run, log })}\n`),
      wait(''),
      wait('{"run": "--kernel"}\n'),
    ])
    assert.deepEqual([here.code, here.output], [0, 'warm'])
    assert.match(here.errors, /ready for a VM\nhearth-vmm: the guest powered off\n$/)
    assert.deepEqual([logged.code, logged.output], [0, ''])
    assert.equal(readFileSync(log, 'utf8'), 'warmhearth-vmm: the guest powered off\n')
    assert.equal(none.code, 0)
    assert.deepEqual([bad.code, /write \{"run"/.test(bad.errors)], [1, true])
  })

  describe('a guest that does not reload its watchdog', () => {
    const WATCHDOG_BAR = 0xd000_0000
    const config = (register: number): number[] => outl(0xcf8, 0x8000_0900 | register)
    const register = (offset: number, value: number): number[] => [
      ...storeMemory(WATCHDOG_BAR + 0xc, 0x80),
      ...storeMemory(WATCHDOG_BAR + 0xc, 0x86),
      ...storeMemory(WATCHDOG_BAR + offset, value),
    ]
    // test eax, 0x200; jz over the power-off
    const offIfTimedOut = [0xa9, 0, 2, 0, 0, 0x74, powerOff.length, ...powerOff]
    const hangs = [
      ...[config(0x10), outl(0xcfc, WATCHDOG_BAR), print('up'), loadMemory(WATCHDOG_BAR + 0xc)],
      ...[offIfTimedOut, register(0, 8), register(4, 8), config(0x68), outb(0xcfc, 2)],
    ]

    test('is reset and finds out why, or ends, with what was asked for', async () => {
      const { code, output, line } = await run(hangs, ['--watchdog', 'reset'])
      assert.deepEqual([code, output.toString()], [0, 'upup'], line)
      assert.match(line, /does not reload its watchdog \(--watchdog reset\)/)
      const off = await run(hangs, ['--watchdog', 'poweroff'])
      assert.equal(off.code, 11)
      assert.match(off.line, /the guest crashed: it did not reload its watchdog in time$/)
      assert.equal((await run(hangs, ['--watchdog', 'reset', '--no-reboot'])).code, 10)
    })

    test('again and again is told of once in a while, not each time', async (t) => {
      const reload = register(0xc, 0x300)
      // again: load the register; test eax, 0x200; jz again
      const wait = [...loadMemory(WATCHDOG_BAR + 0xc), 0xa9, 0, 2, 0, 0, 0x74, 0xf2]
      const round = [...wait, ...print('.'), ...reload]
      const back = Buffer.alloc(4)
      back.writeInt32LE(-(round.length + 5))
      const start = [config(0x10), outl(0xcfc, WATCHDOG_BAR), register(0, 8), register(4, 8), config(0x68)]
      const guest = launch([...start, outb(0xcfc, 2), round, [0xe9, ...back]], ['--watchdog', 'event'])
      t.after(() => guest.child.kill('SIGKILL'))
      while (guest.output().length < 20)
        await new Promise((resolve) => guest.child.stdout.once('data', resolve))
      guest.child.kill('SIGTERM')
      const { line } = await guest.end
      assert.equal(line.match(/does not reload its watchdog/g)?.length, 1, line)
    })

    for (const action of ['pause', 'event'] as const) {
      test(`is told of and goes on or stands still (${action})`, async () => {
        const control = path.join(folder, `control-${files++}`)
        const guest = launch(hangs, ['--watchdog', action, '--control', `unix:${control}`])
        // Whoever connects too late for the event sees it in the log.
        const state = action === 'pause' ? 'paused' : 'running'
        for (let client: ControlClient | undefined; ; await new Promise((wake) => setTimeout(wake, 20))) {
          if (guest.child.exitCode !== null) assert.fail((await guest.end).line)
          client ??= await ControlClient.connect(control).catch(() => undefined)
          if (!guest.errors().includes(`--watchdog ${action}`)) continue
          if (!client || (await client.status()).state !== state) continue
          await client.request('quit')
          break
        }
        assert.equal((await guest.end).code, 0)
      })
    }
  })

  test('virtio devices over MMIO are where the tables and, asked for, the command line say', async () => {
    const disk = path.join(folder, 'mmio.raw')
    writeFileSync(disk, Buffer.alloc(4096))
    // Magic and device id of the first, the third and one that is not there.
    const shown = [0xe100_0000, 0xe100_0008, 0xe100_2008, 0xe100_3000].flatMap((at) => [
      loadMemory(at),
      printRax(4),
    ])
    const args = ['--virtio', 'mmio', '--disk', disk]
    const { code, output, line } = await run([...shown, powerOff], args)
    assert.equal(code, 0, line)
    assert.equal(output.toString('latin1'), 'virt\x04\0\0\0\x02\0\0\0\xff\xff\xff\xff')
    const told = await run(multibootKernel('elf'), ['--virtio', 'mmio,cmdline', '--cmdline', 'a'])
    const devices = 'virtio_mmio.device=0x1000@0xe1000000:5 virtio_mmio.device=0x1000@0xe1001000:6'
    assert.equal(told.output.toString().split('\n')[0], `a ${devices}`)
  })

  test('a Multiboot kernel gets its command line and modules', async () => {
    const module = path.join(folder, 'module')
    writeFileSync(module, 'its content\0')
    for (const how of ['addresses', 'elf'] as const) {
      const { code, output } = await run(multibootKernel(how), [
        '--cmdline',
        'a b',
        '--module',
        `${module} text`,
      ])
      assert.deepEqual([code, output.toString()], [0, `a b\n${module} text\nits content\n`])
    }
  })

  test('a Solo5 hvt unikernel prints, reads a block, writes one, and ends with its status', async () => {
    const disk = path.join(folder, 'hvt.raw')
    writeFileSync(disk, Buffer.concat([Buffer.alloc(512), Buffer.alloc(512, 'block\n'), Buffer.alloc(512)]))
    const text = 'hello from hvt\n'
    const program = [
      putsText(text.length),
      hypercall(5, 1, 512, HVT_DATA, 512, 0),
      hypercall(2, HVT_DATA, 6),
      hypercall(4, 1, 1024, HVT_DATA, 512, 0),
      hypercall(8, 0, 3),
    ]
    const kernel = hvtKernel(program, { devices: ['block'], text })
    const { code, output, line } = await run(kernel, ['--disk', disk])
    assert.deepEqual([code, output.toString()], [11, `${text}block\n`])
    assert.match(line, /the guest crashed: the unikernel ended with status 3/)
    assert.equal(readFileSync(disk).subarray(1024, 1030).toString(), 'block\n')
    assert.match((await run(kernel)).line, /wants 1 of --disk/)
    const refused = await run(kernel, ['--disk', disk, '--watchdog', 'reset'])
    assert.deepEqual([refused.code, /nothing of --watchdog/.test(refused.line)], [1, true], refused.line)
    assert.match((await run(hvtKernel(program, { target: 2 }))).line, /another target/)
  })

  test('an hvt unikernel sleeps as long as it asked to, and can be paused and switched off meanwhile', async () => {
    const text = 'asleep\n'
    const poll = (seconds: number): number[] => [
      ...storeMemory64(HVT_DATA, seconds * 1e9),
      ...outl(0x503, HVT_DATA),
    ]
    const control = path.join(folder, 'hvt-control')
    const program = [putsText(text.length), poll(3600), putsText(text.length)]
    const vm = launch(hvtKernel(program, { text }), ['--control', `unix:${control}`])
    while (vm.output() !== text) await new Promise((resolve) => vm.child.stdout.once('data', resolve))
    const client = await ControlClient.connect(control)
    await client.request('pause')
    assert.equal((await client.status()).state, 'paused')
    await client.request('resume')
    assert.equal((await client.status()).state, 'running')
    vm.child.kill('SIGTERM')
    const { output, line } = await vm.end
    assert.deepEqual([output.toString(), line], [text, 'hearth-vmm: switched off (SIGTERM)'])

    const started = performance.now()
    assert.equal((await run(hvtKernel([poll(1), hypercall(8, 0, 0)]))).code, 0)
    assert.ok(performance.now() - started >= 1_000)
  })

  test('an hvt unikernel may not use address zero, write its code or run its data', async () => {
    const [read, write, execute] = [4, 2, 1]
    const end = hypercall(8, 0, 0)
    for (const [program, rights, code] of [
      [storeMemory(HVT_DATA, 1), read | write | execute, 0],
      [storeMemory(HVT_DATA, 1), read | execute, 11],
      [storeMemory(0x10, 1), read | write | execute, 11],
      [[], read | write, 11],
    ] as const) {
      const { code: ended, line } = await run(hvtKernel([[...program], end], { rights }))
      assert.equal(ended, code, line)
    }
  })

  test('all of 32 vCPUs run: the first one wakes the others, and each of them counts', async () => {
    const [apCode, counter, interruptCommand] = [0x4000, 0x5000, 0xfee0_0300]
    // In real mode: lock inc byte [counter]; hlt; jmp to the hlt
    const code = Buffer.from([0xf0, 0xfe, 0x06, counter & 0xff, counter >> 8, 0xf4, 0xeb, 0xfd])
    // mov ebx, counter; again: cmp byte [rbx], 31; jne again
    const wait = [0xbb, counter & 0xff, counter >> 8, 0, 0, 0x80, 0x3b, 31, 0x75, 0xfb]
    const initAll = 0xc_4500
    const startAll = 0xc_4600 | (apCode >> 12)
    const {
      code: ended,
      output,
      line,
    } = await run(
      [
        ...[storeMemory(apCode, code.readUInt32LE(0)), storeMemory(apCode + 4, code.readUInt32LE(4))],
        ...[storeMemory(interruptCommand, initAll), storeMemory(interruptCommand, startAll)],
        ...[wait, print('all'), powerOff],
      ],
      ['--cpus', '32'],
    )
    assert.deepEqual([ended, output.toString(), line], [0, 'all', 'hearth-vmm: the guest powered off'])
  })

  test('reads of nothing are all ones, of any width; MMIO of 8 bytes is whole', async () => {
    const { output } = await run([
      ...[inb(0x1234), printRax(1)],
      ...[inl(0x1234), printRax(4)],
      ...[loadMemory(0xd000_0000, true), printRax(8)],
      ...[storeMemory(0xd000_0000, 1), powerOff],
    ])
    assert.deepEqual([...output], new Array(13).fill(0xff))
  })

  test('a REP INSB fills memory with as many reads of the port', async () => {
    // The scratch register of the serial port, then three bytes of nothing, into memory that held zeroes.
    const { output } = await run([
      ...[outb(COM1 + 7, 0x5a), readString(COM1 + 7, 0x18_0000, 3), readString(0x1234, 0x18_0003, 3)],
      ...[loadMemory(0x18_0000, true), printRax(8), powerOff],
    ])
    assert.deepEqual([...output], [0x5a, 0x5a, 0x5a, 0xff, 0xff, 0xff, 0, 0])
  })

  test('PCI is the same by ports and by ECAM; the clock says this year', async () => {
    const { output } = await run([
      ...[outl(0xcf8, 0x8000_0000 | (1 << 11)), inl(0xcfc), printRax(4)],
      ...[loadMemory(0xe000_0000 + (1 << 15)), printRax(4)],
      ...[loadMemory(0xe000_0000 + (1 << 15), true), printRax(8)],
      ...[outb(0x70, 9), inb(0x71), printRax(1), powerOff],
    ])
    const virtioRng = Buffer.from([0xf4, 0x1a, 0x44, 0x10])
    assert.deepEqual(output.subarray(0, 4), virtioRng)
    assert.deepEqual(output.subarray(4, 8), virtioRng)
    assert.deepEqual(output.subarray(8, 12), virtioRng)
    const year = new Date().getUTCFullYear() % 100
    assert.equal(output[16], Math.floor(year / 10) * 16 + (year % 10))
  })

  test('every way to reset ends with code 10 when told not to restart', async () => {
    for (const [how, name] of [
      [outb(0x64, 0xfe), 'keyboard controller'],
      [outb(0xcf9, 6), 'reset register'],
    ] as const) {
      const { code, line } = await run([how], ['--no-reboot'])
      assert.equal(code, 10)
      assert.match(line, new RegExp(`the guest reset \\(${name}\\)`))
    }
  })

  test('a reset finds a cold machine: memory and devices as at the first start', async () => {
    // CMOS memory and a word of RAM tell what the run before left; each run prints them and leaves other values.
    const vm = launch([
      ...[outb(0x70, 0x50), inb(0x71), printRax(1), loadMemory(0x18_0000), printRax(1)],
      ...[outb(0x70, 0x50), outb(0x71, 0x77), storeMemory(0x18_0000, 0x78), print('.')],
      ...[outb(0x64, 0xfe)],
    ])
    while (vm.output().length < 12) await new Promise((resolve) => vm.child.stdout.once('data', resolve))
    vm.child.kill('SIGTERM')
    const { code, output } = await vm.end
    assert.equal(code, 0)
    assert.equal(output.toString('latin1').slice(0, 12), '\0\0.\0\0.\0\0.\0\0.')
  })

  test('a triple fault is code 11; a panic that ends in a reset too', async () => {
    const fault = await run([tripleFault])
    assert.equal(fault.code, 11)
    assert.match(fault.line, /^hearth-vmm: the guest crashed: triple fault on vCPU 0 \(rip=/)
    const panic = await run([outb(0x505, 1), outb(0xcf9, 6)], ['--no-reboot'])
    assert.equal(panic.code, 11)
    assert.match(panic.line, /its kernel panicked/)
  })

  test('input reaches the guest, output of a burst is whole', async () => {
    // Polls LSR for a byte and prints it plus one: wait: in al, LSR; test al, 1; jz wait; in al, data; inc al; out.
    const echo = [
      ...[0xba, 0xfd, 0x03, 0, 0, 0xec, 0xa8, 0x01, 0x74, 0xf6],
      ...[0xba, 0xf8, 0x03, 0, 0, 0xec, 0xfe, 0xc0, 0xee],
    ]
    const vm = launch([print('?'), echo, echo, echo, powerOff])
    await new Promise((resolve) => vm.child.stdout.once('data', resolve))
    vm.child.stdin.write('HAL')
    const { code, output } = await vm.end
    assert.deepEqual([code, output.toString()], [0, '?IBM'])
  })

  test('control: status, pause, resume, reset, quit; the sockets are gone in the end', async (t) => {
    const [control, serial] = [path.join(folder, 'control'), path.join(folder, 'serial')]
    const vm = launch(
      [print('up'), outb(COM1, 10)],
      ['--control', `unix:${control}`, '--serial', `unix:${serial}`],
    )
    t.after(() => vm.child.kill('SIGKILL'))
    const events: string[] = []
    let client: ControlClient | undefined
    while (!client) {
      client = await ControlClient.connect(control, {
        event: (event) => events.push(event.event === 'state' ? event.status.state : event.event),
      }).catch(() => new Promise<undefined>((resolve) => setTimeout(resolve, 20)))
    }
    while ((await client.status()).state !== 'running') await new Promise((resolve) => setTimeout(resolve, 5))
    const status = await client.status()
    assert.deepEqual(
      [status.pid, status.cpus, status.memoryBytes, status.resets, status.panicked],
      [vm.child.pid, 1, 32 << 20, 0, false],
    )
    const { devices } = vmmCountersSchema.parse(await client.request('counters'))
    assert.deepEqual(
      devices.map(({ name, counters }) => [name, counters.failures]),
      [
        ['rng', 0],
        ['balloon', 0],
      ],
    )
    await client.request('pause')
    assert.equal((await client.status()).state, 'paused')
    await client.request('resume')
    for (let i = 0; i < 20; i++) {
      // In one breath: what was asked for last counts.
      await Promise.all([client.request('pause'), client.request('resume')])
      assert.equal((await client.status()).state, 'running')
    }
    await client.request('reset')
    while ((await client.status()).resets !== 1) await new Promise((resolve) => setTimeout(resolve, 5))
    await client.request('quit')
    assert.equal((await vm.end).code, 0)
    assert.ok(events.includes('reset') && events.at(-1) === 'exit', events.join())
    for (const file of [control, serial]) assert.throws(() => accessSync(file), /ENOENT/)
  })

  test('32 CPUs start and stop', async () => {
    const { code, output } = await run([print('x'), powerOff], ['--cpus', '32'])
    assert.deepEqual([code, output.toString()], [0, 'x'])
  })
})

test('what cannot start is one line and the right code', async () => {
  const kernel = tinyKernel(powerOff)
  const [code1, code2] = [1, 2]
  const fifo = path.join(folder, 'fifo')
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0)
  for (const [file, args, code, pattern] of [
    [Buffer.from('#!/bin/sh\n'.repeat(100)), [], code1, /is not a kernel: give a Linux bzImage/],
    [kernel.subarray(0, kernel.length - 1), [], code1, /is truncated/],
    [Buffer.alloc(0), [], code1, /is empty/],
    [kernel, ['--initrd', '/nonexistent'], code1, /--initrd \/nonexistent: there is no such file/],
    [kernel, ['--initrd', '/'], code1, /not a regular file/],
    [kernel, ['--frob'], code1, /no option --frob/],
    [kernel, ['--disk', '/nonexistent'], code2, /the disk is missing/],
    [kernel, ['--disk', '/'], code2, /this is a folder/],
    [kernel, ['--disk', `${fifo},ro`], code2, /this is a FIFO/],
    [kernel, ['--initrd', fifo], code1, /not a regular file/],
    [kernel, ['--cdrom', '/nonexistent'], code2, /--cdrom \/nonexistent: the disk is missing/],
    [kernel, ['--control', 'unix:/nonexistent/c'], code1, /--control .*: its folder does not exist/],
    [kernel, ['--port', 'a,unix:/nonexistent/a'], code1, /--port .*: its folder does not exist/],
    [kernel, ['--snapshot-slot', '/proc/slot'], code1, /--snapshot-slot \/proc\/slot: it cannot be made/],
    [kernel, ['--net', 'tap:hearth-none'], code2, /no network interface hearth-none/],
    [kernel, ['--net', 'passt:/nonexistent'], code2, /cannot reach passt/],
  ] as const) {
    const end = await run(file, args)
    assert.equal(end.code, code, end.line)
    assert.match(end.line, pattern)
    assert.equal(end.line.split('\n').length, 1, end.line)
    assert.equal(end.output.length, 0)
  }
})
