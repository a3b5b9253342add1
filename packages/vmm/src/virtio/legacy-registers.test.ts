import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, afterEach, test } from 'node:test'
import { blockingDisk } from '../disk/testing/blocking-disk.ts'
import { PciBus } from '../pci/bus.ts'
import { BlockDevice } from './block.ts'
import { legacyRing } from './legacy-registers.ts'
import { VirtioPciFunction } from './pci-transport.ts'
import { TestMachine } from './testing/machine.ts'

const SLOT = 3
const RING_PAGE = 16
const REQUEST = 0x30_000
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-legacy-'))
after(() => fs.rmSync(folder, { recursive: true }))
const open: { close(): void }[] = []
afterEach(() => {
  for (const thing of open.splice(0)) thing.close()
})

function build(pic = false) {
  const file = path.join(folder, 'disk')
  fs.writeFileSync(file, Buffer.concat([Buffer.alloc(512), Buffer.alloc(512, 's'), Buffer.alloc(1024)]))
  const machine = new TestMachine()
  const bus = new PciBus(machine.platform, {
    ...{ mmio32Start: 0xc000_0000, mmio32End: 0xe000_0000, ecamStart: 0xe000_0000, pic },
  })
  const messages: string[] = []
  const device = new BlockDevice(blockingDisk(file, { readOnly: false }), {
    readOnly: false,
    serial: 's',
  })
  const fn = new VirtioPciFunction(device, {
    memory: machine.memory,
    log: (message) => messages.push(message),
    transitional: true,
  })
  bus.plug(SLOT, fn)
  open.push(bus, machine)
  const config = (register: number, size: number): number => bus.ecam.read((SLOT << 15) + register, size)
  const port = config(0x10, 4) & ~3
  const read = (at: number, size: number): number => machine.pio.read(port + at, size)
  const write = (at: number, size: number, value: number): void => machine.pio.write(port + at, size, value)
  return { machine, fn, config, port, read, write, messages }
}

test('it is a transitional device: id, revision, subsystem, a port BAR, and the modern capabilities', () => {
  const { config, port } = build(true)
  assert.equal(config(0, 4), 0x1001_1af4)
  assert.equal(config(8, 1), 0)
  assert.equal(config(0x2e, 2), 2)
  assert.equal(config(0x10, 1) & 1, 1)
  assert.ok(port >= 0xc000)
  assert.notEqual(config(0x34, 1), 0)
  assert.equal(config(0x3c, 1), 11, 'a line that the PIC has')
})

test('a legacy driver finds the disk, sets its ring by page number, and reads a sector', () => {
  const { machine, read, write } = build()
  const { memory } = machine
  assert.equal(read(0x14, 4), 4, 'capacity')
  write(18, 1, 0)
  write(18, 1, 1)
  write(18, 1, 3)
  assert.equal(read(0, 4) >>> 31, 0)
  write(4, 4, 0)
  write(14, 2, 0)
  const size = read(12, 2)
  assert.ok(size >= 16)
  assert.equal(read(8, 4), 0)
  write(8, 4, RING_PAGE)
  assert.equal(read(8, 4), RING_PAGE)
  write(18, 1, 7)
  assert.equal(read(18, 1), 7)
  const { descriptors, available, used } = legacyRing(RING_PAGE, size)
  assert.equal(used % 4096, 0)
  const parts: [number, number, number, number][] = [
    [REQUEST, 16, 1, 1],
    [REQUEST + 0x100, 512, 3, 2],
    [REQUEST + 0x400, 1, 2, 0],
  ]
  for (const [i, [address, length, flags, next]] of parts.entries()) {
    memory.writeU64(descriptors + i * 16, address)
    memory.writeU32(descriptors + i * 16 + 8, length)
    memory.writeU16(descriptors + i * 16 + 12, flags)
    memory.writeU16(descriptors + i * 16 + 14, next)
  }
  memory.writeU32(REQUEST, 0)
  memory.writeU64(REQUEST + 8, 1)
  memory.writeU8(REQUEST + 0x400, 0xff)
  memory.writeU16(available + 2, 1)
  write(16, 2, 0)
  machine.until('the answer', () => memory.readU16(used + 2) === 1)
  assert.equal(memory.readU8(REQUEST + 0x400), 0)
  assert.equal(Buffer.from(memory.bytes(REQUEST + 0x100, 512)).toString(), 's'.repeat(512))
  assert.equal(read(19, 1), 1, 'the interrupt status, once')
  assert.equal(read(19, 1), 0)
})

test('rings outside RAM, queues that are not there and features nobody offered fail the device alone', () => {
  const { read, write, fn, messages } = build()
  write(14, 2, 99)
  assert.equal(read(12, 2), 0)
  write(8, 4, 5)
  write(16, 2, 99)
  write(14, 2, 0)
  write(8, 4, 0xffff_ffff)
  write(18, 1, 7)
  assert.equal(fn.transport.status & 64, 64)
  assert.match(messages.join(), /ring-outside-ram/)
  write(18, 1, 0)
  assert.equal(read(18, 1), 0)
  write(4, 4, 0xffff_ffff)
  write(18, 1, 7)
  assert.equal(fn.transport.status & 64, 64)
  for (let at = 0; at < 128; at++) {
    for (const size of [1, 2, 4]) {
      write(at, size, 0xffff_ffff)
      read(at, size)
    }
  }
})
