import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { Uart } from '../chipset/uart.ts'
import { GuestMemory } from '../memory/guest-memory.ts'
import { allocateGuestRam } from '../memory/guest-ram.ts'
import * as libc from '../sys/libc.ts'
import { Hypercalls } from './hypercalls.ts'

const MIB = 1024 * 1024
const ARGUMENTS = 0x1000
const DATA = 0x2000
const folder = mkdtempSync(path.join(os.tmpdir(), 'hearth-hvt-'))
after(() => rmSync(folder, { recursive: true }))

function build(t: { after(fn: () => void): void }) {
  const ram = allocateGuestRam([{ guestAddress: 0, size: MIB }])
  const memory = new GuestMemory(ram.regions)
  const file = path.join(folder, 'disk')
  writeFileSync(file, Buffer.alloc(4096, 'x'))
  const fd = openSync(file, 'r+')
  const attentionFd = libc.check('eventfd', libc.eventfdCreate(0, libc.EFD.NONBLOCK))
  const uart = new Uart({ shared: Uart.allocate(), irqFd: attentionFd, attentionFd })
  const pair = new Int32Array(2)
  const [AF_UNIX, SOCK_DGRAM, SOCK_NONBLOCK] = [1, 2, 2048]
  libc.check('socketpair', libc.socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
  const calls = new Hypercalls({
    memory,
    uart,
    devices: [undefined, { kind: 'block', fd, bytes: 4096, readOnly: false }, { kind: 'net', fd: pair[0]! }],
  })
  t.after(() => {
    calls.close()
    ram.close()
    closeSync(fd)
    for (const end of [...pair, attentionFd]) libc.close(end)
  })
  const call = (number: number, values: readonly number[], resultAt = 0): number => {
    for (const [i, value] of values.entries()) memory.writeU64(ARGUMENTS + i * 8, value)
    calls.call(number, ARGUMENTS)
    return memory.readU32(ARGUMENTS + resultAt)
  }
  return { memory, calls, call, file, uart, peer: pair[1]! }
}

test('blocks go to the file and back; what is outside or crooked is refused', (t) => {
  const { memory, call, file } = build(t)
  memory.write(DATA, Buffer.alloc(512, 'w'))
  const write = (handle: number, offset: number, data: number, length: number) =>
    call(4, [handle, offset, data, length, 99], 32)
  assert.equal(write(1, 1024, DATA, 512), 0)
  assert.equal(readFileSync(file).subarray(1024, 1536).toString(), 'w'.repeat(512))
  assert.equal(call(5, [1, 0, DATA, 512, 99], 32), 0)
  assert.equal(memory.readU8(DATA + 511), 'x'.charCodeAt(0))
  for (const [handle, offset, data, length] of [
    [0, 0, DATA, 512],
    [2, 0, DATA, 512],
    [9, 0, DATA, 512],
    [1, 1, DATA, 512],
    [1, 0, DATA, 511],
    [1, 4096, DATA, 512],
    [1, 0, MIB - 256, 512],
    [1, 2 ** 52, DATA, 512],
    [1, 0, DATA, 2 ** 40],
  ] as const) {
    assert.equal(write(handle, offset, data, length), 2, `${handle} ${offset} ${data} ${length}`)
  }
})

test('frames leave behind a header and come in without it; poll tells which handle is ready', (t) => {
  const { memory, call, peer } = build(t)
  memory.write(DATA, Buffer.from('a frame of some bytes'))
  assert.equal(call(6, [2, DATA, 21, 99], 24), 0)
  const wire = new Uint8Array(100)
  assert.equal(libc.read(peer, wire, 100), 12 + 21)
  assert.equal(Buffer.from(wire.subarray(12, 33)).toString(), 'a frame of some bytes')
  assert.equal(call(3, [1e6, 77, 77], 16), 0, 'nothing came')
  assert.equal(call(7, [2, DATA, 1500, 99], 24), 1, 'AGAIN')
  const asked = performance.now()
  assert.equal(call(3, [150e6, 77, 77], 16), 0)
  assert.ok(performance.now() - asked >= 150, 'a poll waits as long as it was asked to')
  libc.write(peer, Buffer.concat([Buffer.alloc(12), Buffer.from('an answer on the wire')]), 33)
  assert.equal(call(3, [1e9, 0, 77], 16), 1)
  assert.equal(memory.readU32(ARGUMENTS + 8), 1 << 2)
  assert.equal(call(7, [2, DATA, 1500, 99], 24), 0)
  assert.equal(memory.readU64(ARGUMENTS + 16), 21)
  assert.equal(Buffer.from(memory.bytes(DATA, 21)).toString(), 'an answer on the wire')
})

test('clock, console and end; arguments that are nowhere change nothing', (t) => {
  const { memory, call, calls, uart } = build(t)
  call(1, [0])
  const seconds = memory.readU64(ARGUMENTS) / 1e9
  assert.ok(Math.abs(seconds - Date.now() / 1000) < 60)
  memory.write(DATA, Buffer.from('said'))
  call(2, [DATA, 4])
  const out = new Uint8Array(16)
  assert.equal(Buffer.from(out.subarray(0, uart.takeOutput(out))).toString(), 'said')
  memory.writeU64(ARGUMENTS + 8, 7)
  assert.equal(calls.call(8, ARGUMENTS), 'halted')
  assert.equal(calls.status, 7)
  for (let number = 0; number < 16; number++) assert.equal(calls.call(number, 0xffff_fff0), 'done')
  call(2, [MIB - 2, 4])
})
