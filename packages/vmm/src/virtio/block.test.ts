import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, afterEach, test } from 'node:test'
import type { DiskBackend } from '../disk/backend.ts'
import { DiskChanges } from '../disk/changes.ts'
import { RawDisk } from '../disk/raw.ts'
import { openRawFile } from '../disk/raw-file.ts'
import { hasUring } from '../disk/rings.ts'
import { blockingDisk } from '../disk/testing/blocking-disk.ts'
import { BlockDevice } from './block.ts'
import { BLOCK_F, BLOCK_STATUS, BLOCK_T } from './block-config.ts'
import { STATUS, VIRTIO_F_RING_EVENT_IDX, VIRTIO_F_RING_INDIRECT_DESC } from './constants.ts'
import { seeded, type TestDescriptor } from './testing/driver.ts'
import { TestMachine } from './testing/machine.ts'
import { PciDriver } from './testing/pci-driver.ts'

const MIB = 1024 * 1024
const SECTOR = 512
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-block-'))
after(() => fs.rmSync(folder, { recursive: true }))

const machines: TestMachine[] = []
const buses: PciDriver['bus'][] = []
afterEach(() => {
  for (const bus of buses.splice(0)) bus.close()
  for (const machine of machines.splice(0)) machine.close()
})

let files = 0
function diskFile(bytes = MIB): { file: string; content: Uint8Array } {
  const file = path.join(folder, `disk-${files++}.raw`)
  const content = new Uint8Array(bytes)
  const random = seeded(files)
  for (let i = 0; i < bytes; i++) content[i] = random(256)
  fs.writeFileSync(file, content)
  return { file, content }
}

const backends: [string, (file: string, readOnly: boolean) => DiskBackend][] = [
  ['blocking', (file, readOnly) => blockingDisk(file, { readOnly })],
  ['io_uring', (file, readOnly) => new RawDisk(openRawFile(file, { readOnly }))],
]
const withoutUring = whyNoUring()

for (const [kind, openBackend] of backends) {
  const skip = kind === 'io_uring' && withoutUring
  function setUp(
    options: { readOnly?: boolean; bytes?: number; features?: bigint; changes?: DiskChanges } = {},
  ) {
    const { file, content } = diskFile(options.bytes)
    const machine = new TestMachine()
    machines.push(machine)
    const device = new BlockDevice(openBackend(file, options.readOnly ?? false), {
      readOnly: options.readOnly ?? false,
      serial: 'hearth-1',
      changes: options.changes,
    })
    const driver = new PciDriver(machine, device)
    buses.push(driver.bus)
    driver.start(options.features ?? driver.offered())
    const disk = new Disk(driver)
    return { file, content, machine, device, driver, disk }
  }

  test(`${kind}: configuration says what the disk is`, { skip }, () => {
    const { driver } = setUp({ bytes: MIB + 100 })
    assert.equal(driver.configRead(0, 4), MIB / SECTOR, 'a ragged end is left out')
    assert.equal(driver.configRead(4, 4), 0)
    assert.ok(driver.configRead(12, 4) <= 254)
    assert.equal(driver.configRead(20, 4), SECTOR)
    assert.equal(driver.pciRead(0, 4), 0x1042_1af4)
    assert.equal(driver.pciRead(0x0b, 1), 1, 'mass storage')
    assert.equal(driver.offered() & BLOCK_F.RO, 0n)
  })

  test(`${kind}: reads and writes go to the file, in several segments, direct and indirect`, { skip }, () => {
    const { file, content, disk } = setUp()
    const read = disk.read(3, [512, 1024, 512])
    assert.equal(read.status, BLOCK_STATUS.OK)
    assert.equal(read.written, 2048 + 1)
    assert.deepEqual(read.data, content.subarray(3 * SECTOR, 7 * SECTOR))
    const data = new Uint8Array(4096).map((_, i) => i * 7)
    assert.equal(disk.write(100, data, [1, 511, 3584]), BLOCK_STATUS.OK)
    assert.deepEqual(disk.read(100, [4096], true).data, data)
    assert.deepEqual(new Uint8Array(fs.readFileSync(file).subarray(100 * SECTOR, 100 * SECTOR + 4096)), data)
  })

  test(`${kind}: four queues, more requests than a backend takes at once: all are done, each on its own queue`, {
    skip,
  }, () => {
    const { file, content } = diskFile()
    const machine = new TestMachine()
    machines.push(machine)
    const options = { readOnly: false, serial: 'hearth-1', queues: 4 }
    const driver = new PciDriver(machine, new BlockDevice(openBackend(file, false), options))
    buses.push(driver.bus)
    assert.equal(driver.offered() & BLOCK_F.MQ, BLOCK_F.MQ)
    driver.start(driver.offered())
    assert.equal(driver.configRead(34, 2), 4, 'num_queues')
    assert.equal(driver.queues.length, 4)
    const at = (queue: number, i: number): number => 0x20_0000 + (queue * 256 + i) * 0x800
    for (const [q, queue] of driver.queues.entries()) {
      for (let i = 0; i < 256; i++) {
        const header = at(q, i)
        machine.memory.write(
          header,
          new Uint8Array(Uint32Array.of(BLOCK_T.IN, 0, (q * 256 + i) % 2048, 0).buffer),
        )
        queue.addIndirect(header + 0x40, [
          { address: header, length: 16 },
          { address: header + 0x200, length: SECTOR, writable: true },
          { address: header + 0x10, length: 1, writable: true },
        ])
      }
    }
    for (const q of driver.queues.keys()) driver.kick(q)
    machine.until('all of them', () => driver.queues.every((queue) => queue.usedIndex === 256))
    for (const q of driver.queues.keys()) {
      assert.ok(driver.interrupts(q) > 0)
      for (let i = 0; i < 256; i++) {
        const sector = (q * 256 + i) % 2048
        assert.deepEqual(
          Buffer.from(machine.memory.bytes(at(q, i) + 0x200, SECTOR)),
          Buffer.from(content.subarray(sector * SECTOR, (sector + 1) * SECTOR)),
        )
      }
    }
  })

  test(`${kind}: bounds and sizes are checked to the sector`, { skip }, () => {
    const { file, disk, device } = setUp()
    const last = MIB / SECTOR - 1
    const before = fs.readFileSync(file)
    assert.equal(disk.read(last, [512]).status, BLOCK_STATUS.OK)
    for (const [sector, sizes] of [
      [last, [1024]],
      [last + 1, [512]],
      [2 ** 32, [512]],
      [2 ** 53 + 2, [512]],
      [2 ** 63, [512]],
      [0, [511]],
      [0, [513]],
      [0, [256, 300]],
    ] as [number, number[]][]) {
      assert.equal(disk.read(sector, sizes).status, BLOCK_STATUS.IOERR, `read ${sector} ${sizes}`)
      const bytes = sizes.reduce((a, b) => a + b)
      assert.equal(disk.write(sector, new Uint8Array(bytes), sizes), BLOCK_STATUS.IOERR)
    }
    assert.deepEqual(fs.readFileSync(file), before)
    assert.equal(device.counters.errors, 16)
  })

  test(`${kind}: flush, identity, and requests nobody knows`, { skip }, () => {
    const { disk, device } = setUp()
    assert.equal(disk.request(BLOCK_T.FLUSH, 0, [], []).status, BLOCK_STATUS.OK)
    assert.equal(device.counters.flushes, 1)
    const id = disk.request(BLOCK_T.GET_ID, 0, [], [20])
    assert.equal(id.status, BLOCK_STATUS.OK)
    assert.equal(new TextDecoder().decode(id.data), `hearth-1${'\0'.repeat(12)}`)
    assert.equal(new TextDecoder().decode(disk.request(BLOCK_T.GET_ID, 0, [], [4]).data), 'hear')
    for (const type of [2, 3, 5, 12, 14, 0xffff_ffff]) {
      assert.equal(disk.request(type, 0, [], [512]).status, BLOCK_STATUS.UNSUPP)
    }
  })

  test(`${kind}: header and status may be cut anywhere`, { skip }, () => {
    const { content, driver, machine } = setUp()
    const { memory } = machine
    const at = driver.data
    memory.writeU32(at, BLOCK_T.IN)
    memory.writeU32(at + 8, 5)
    const queue = driver.queues[0]!
    queue.add([
      { address: at, length: 3 },
      { address: at + 3, length: 7 },
      { address: at + 10, length: 6 },
      { address: at + 100, length: 200, writable: true },
      { address: at + 300, length: 313, writable: true },
    ])
    driver.kick(0)
    machine.until('the answer', () => queue.usedIndex === 1)
    assert.deepEqual(memory.bytes(at + 100, 512), content.subarray(5 * SECTOR, 6 * SECTOR))
    assert.equal(memory.readU8(at + 612), BLOCK_STATUS.OK)
  })

  test(`${kind}: a request without room for header or status fails the device`, { skip }, () => {
    for (const parts of [
      [{ length: 15 }, { length: 1, writable: true }],
      [{ length: 16 }],
      [{ length: 513, writable: true }],
    ]) {
      const { driver, machine } = setUp()
      driver.queues[0]!.add(parts.map((part) => ({ address: driver.data, ...part })))
      driver.kick(0)
      machine.until('NEEDS_RESET', () => (driver.status & STATUS.DEVICE_NEEDS_RESET) !== 0)
    }
  })

  test(`${kind}: a read-only disk is offered as such and not written`, { skip }, () => {
    const { file, content, driver, disk } = setUp({ readOnly: true })
    assert.equal(driver.offered() & BLOCK_F.RO, BLOCK_F.RO)
    assert.equal(driver.offered() & (BLOCK_F.DISCARD | BLOCK_F.WRITE_ZEROES), 0n)
    assert.equal(disk.write(0, new Uint8Array(512), [512]), BLOCK_STATUS.IOERR)
    assert.equal(disk.request(BLOCK_T.FLUSH, 0, [], []).status, BLOCK_STATUS.OK)
    assert.notEqual(disk.ranges(BLOCK_T.DISCARD, [[0, 8, 0]]), BLOCK_STATUS.OK)
    assert.deepEqual(new Uint8Array(fs.readFileSync(file)), content)
  })

  test(`${kind}: discard and write zeroes, with their limits`, { skip }, () => {
    const { file, content, disk, driver } = setUp()
    const offered = driver.offered()
    assert.equal(offered & BLOCK_F.DISCARD, BLOCK_F.DISCARD, 'the temporary folder can punch holes')
    const blocksBefore = fs.statSync(file).blocks
    assert.equal(
      disk.ranges(BLOCK_T.DISCARD, [
        [0, 1024, 0],
        [1024, 512, 0],
      ]),
      BLOCK_STATUS.OK,
    )
    assert.ok(fs.statSync(file).blocks < blocksBefore)
    assert.equal(disk.ranges(BLOCK_T.WRITE_ZEROES, [[1600, 8, 0]]), BLOCK_STATUS.OK)
    assert.equal(disk.ranges(BLOCK_T.WRITE_ZEROES, [[1700, 8, 1]]), BLOCK_STATUS.OK)
    const now = new Uint8Array(fs.readFileSync(file))
    const expected = content.slice()
    for (const [from, count] of [
      [0, 1536],
      [1600, 8],
      [1700, 8],
    ] as const) {
      expected.fill(0, from * SECTOR, (from + count) * SECTOR)
    }
    assert.deepEqual(now, expected)
    for (const [type, ranges, status] of [
      [BLOCK_T.DISCARD, [[2040, 9, 0]], BLOCK_STATUS.IOERR],
      [BLOCK_T.DISCARD, [[2 ** 40, 1, 0]], BLOCK_STATUS.IOERR],
      [BLOCK_T.DISCARD, [[0, 0xffff_ffff, 0]], BLOCK_STATUS.IOERR],
      [BLOCK_T.DISCARD, [[0, 1, 1]], BLOCK_STATUS.UNSUPP],
      [BLOCK_T.WRITE_ZEROES, [[0, 1, 2]], BLOCK_STATUS.UNSUPP],
      [BLOCK_T.DISCARD, [], BLOCK_STATUS.IOERR],
      [BLOCK_T.DISCARD, Array.from({ length: 33 }, () => [0, 1, 0]), BLOCK_STATUS.IOERR],
      [BLOCK_T.DISCARD, [[0, 0, 0]], BLOCK_STATUS.OK],
    ] as [number, number[][], number][]) {
      assert.equal(disk.ranges(type, ranges), status, JSON.stringify([type, ranges]))
    }
    assert.deepEqual(new Uint8Array(fs.readFileSync(file)), expected)
  })

  test(`${kind}: what is written, discarded or zeroed is noted, also when a reset comes between; what is read is not`, {
    skip,
  }, () => {
    const bytes = 4 * MIB
    const changes = new DiskChanges(DiskChanges.allocate(bytes), bytes)
    const { disk, driver, machine } = setUp({ bytes, changes })
    const granule = 64 * 1024
    const noted = () => {
      const { bits } = changes.take()
      return Array.from({ length: bytes / granule }, (_, i) => i).filter(
        (i) => bits[i >> 3]! & (1 << (i & 7)),
      )
    }
    changes.begin()
    disk.read(0, [4096])
    assert.deepEqual(noted(), [])
    disk.write(granule / SECTOR - 1, new Uint8Array(1024), [1024])
    assert.deepEqual(noted(), [0, 1])
    disk.ranges(BLOCK_T.DISCARD, [
      [(4 * granule) / SECTOR, 8, 0],
      [(9 * granule) / SECTOR, (2 * granule) / SECTOR, 0],
    ])
    disk.ranges(BLOCK_T.WRITE_ZEROES, [[(63 * granule) / SECTOR, 1, 0]])
    assert.deepEqual(noted(), [4, 9, 10, 63])
    const { memory } = machine
    memory.writeU32(driver.data, BLOCK_T.OUT)
    memory.writeU32(driver.data + 8, (20 * granule) / SECTOR)
    driver.queues[0]!.add([
      { address: driver.data, length: 16 },
      { address: driver.data + 512, length: granule },
      { address: driver.data + 512 + granule, length: 1, writable: true },
    ])
    machine.mmio.write(driver.notifyAddress(0), 2, 0)
    machine.loop.runOnce(20)
    driver.status = 0
    assert.deepEqual(noted(), [20])
  })

  test(`${kind}: a disk that shrinks or breaks under us answers I/O errors and works on`, { skip }, () => {
    const { file, content, disk } = setUp()
    fs.truncateSync(file, MIB / 2)
    assert.equal(disk.read(MIB / SECTOR - 8, [4096]).status, BLOCK_STATUS.IOERR)
    assert.equal(disk.read(MIB / 2 / SECTOR - 1, [1024]).status, BLOCK_STATUS.IOERR, 'half of it is there')
    assert.deepEqual(disk.read(0, [512]).data, content.subarray(0, 512))
    fs.rmSync(file)
    assert.equal(disk.read(0, [512]).status, BLOCK_STATUS.OK, 'the open file goes on')
  })

  test(`${kind}: a disk that is to be written through tells of no cache`, { skip }, () => {
    const { file } = diskFile()
    const machine = new TestMachine()
    machines.push(machine)
    const device = new BlockDevice(openBackend(file, false), {
      readOnly: false,
      serial: '',
      writeThrough: true,
    })
    assert.equal(device.features & (BLOCK_F.FLUSH | BLOCK_F.CONFIG_WCE), 0n)
    const driver = new PciDriver(machine, device)
    buses.push(driver.bus)
    driver.start(driver.offered())
    // WRITEBACK says how it is.
    assert.equal(driver.configRead(32, 1), 0)
    assert.equal(new Disk(driver).write(0, new Uint8Array(SECTOR), [SECTOR]), BLOCK_STATUS.OK)
  })

  test(`${kind}: write-through when the driver cannot flush or chose it`, { skip }, () => {
    const { disk, driver } = setUp({ features: 0n })
    assert.equal(driver.configRead(32, 1), 0)
    assert.equal(disk.write(1, new Uint8Array(512).fill(9), [512]), BLOCK_STATUS.OK)
    const chosen = setUp()
    assert.equal(chosen.driver.configRead(32, 1), 1)
    chosen.machine.mmio.write(chosen.driver.structure(4).address + 32, 1, 0)
    assert.equal(chosen.driver.configRead(32, 1), 0)
    assert.equal(chosen.disk.write(1, new Uint8Array(512).fill(9), [512]), BLOCK_STATUS.OK)
    assert.equal(chosen.disk.read(1, [512]).data[0], 9)
  })

  test(`${kind}: many requests in one ring, fewer interrupts than requests, all answered`, { skip }, () => {
    const { content, driver, machine } = setUp({ features: VIRTIO_F_RING_INDIRECT_DESC })
    const queue = driver.queues[0]!
    const { memory } = machine
    const count = 250
    for (let i = 0; i < count; i++) {
      const at = driver.data + i * 2048
      memory.writeU32(at, BLOCK_T.IN)
      memory.writeU32(at + 8, i)
      memory.writeU8(at + 1024, 0xff)
      queue.addIndirect(at + 1536, [
        { address: at, length: 16 },
        { address: at + 512, length: 512, writable: true },
        { address: at + 1024, length: 1, writable: true },
      ])
    }
    driver.kick(0)
    machine.until('all answers', () => queue.usedIndex === count)
    for (let i = 0; i < count; i++) {
      const at = driver.data + i * 2048
      assert.equal(memory.readU8(at + 1024), BLOCK_STATUS.OK)
      assert.deepEqual(memory.bytes(at + 512, 512), content.subarray(i * SECTOR, (i + 1) * SECTOR))
    }
    machine.until('an interrupt', () => driver.interrupts(0) > 0)
    assert.ok(driver.interrupts(0) < count / 2)
  })

  test(`${kind}: a reset with requests in flight leaves guest memory alone afterwards, then works again`, {
    skip,
  }, () => {
    const { driver, machine, disk, content } = setUp({ bytes: 4 * MIB })
    const queue = driver.queues[0]!
    const { memory } = machine
    for (let i = 0; i < 16; i++) {
      const at = driver.data + i * 0x2_0000
      memory.writeU32(at, BLOCK_T.IN)
      memory.writeU32(at + 8, 0)
      queue.add([
        { address: at, length: 16 },
        { address: at + 512, length: 0x1_0000, writable: true },
        { address: at + 0x1_1000, length: 1, writable: true },
      ])
    }
    machine.mmio.write(driver.notifyAddress(0), 2, 0)
    driver.status = 0
    memory.fill(driver.data, 16 * 0x2_0000, 0xee)
    machine.loop.runOnce(20)
    for (let i = 0; i < 16; i++) {
      assert.ok(memory.bytes(driver.data + i * 0x2_0000, 0x2_0000).every((byte) => byte === 0xee))
    }
    driver.start(VIRTIO_F_RING_EVENT_IDX)
    assert.deepEqual(disk.read(0, [512]).data, content.subarray(0, 512))
  })

  test(`${kind}: property: random honest traffic against a shadow of the disk`, { skip }, () => {
    const { content, disk } = setUp()
    const random = seeded(77)
    const shadow = content.slice()
    const sectors = MIB / SECTOR
    for (let round = 0; round < 400; round++) {
      const count = 1 + random(64)
      const sector = random(sectors - count + 1)
      const bytes = count * SECTOR
      const cut = 1 + random(bytes - 1)
      const range = shadow.subarray(sector * SECTOR, sector * SECTOR + bytes)
      if (random(2) === 0) {
        const data = new Uint8Array(bytes).map(() => random(256))
        assert.equal(disk.write(sector, data, [cut, bytes - cut], random(2) === 0), BLOCK_STATUS.OK)
        range.set(data)
      } else {
        const answer = disk.read(sector, [cut, bytes - cut], random(2) === 0)
        assert.equal(answer.status, BLOCK_STATUS.OK)
        assert.ok(Buffer.from(answer.data).equals(range))
      }
    }
  })
}

function whyNoUring(): string | false {
  const file = openRawFile(diskFile(4096).file, { readOnly: false })
  const there = hasUring(file.fd)
  file.close()
  return there ? false : 'this kernel has no io_uring for us'
}

/** One request at a time through the ring. */
class Disk {
  private readonly driver: PciDriver
  constructor(driver: PciDriver) {
    this.driver = driver
  }

  read(sector: number, sizes: number[], indirect = false) {
    return this.request(BLOCK_T.IN, sector, [], sizes, indirect)
  }

  write(sector: number, data: Uint8Array, sizes: number[], indirect = false): number {
    let at = 0
    const parts = sizes.map((size) => {
      at += size
      return data.subarray(at - size, at)
    })
    return this.request(BLOCK_T.OUT, sector, parts, [], indirect).status
  }

  ranges(type: number, ranges: number[][]): number {
    const data = new DataView(new ArrayBuffer(ranges.length * 16))
    for (const [i, [sector, count, flags]] of ranges.entries()) {
      data.setBigUint64(i * 16, BigInt(sector!), true)
      data.setUint32(i * 16 + 8, count!, true)
      data.setUint32(i * 16 + 12, flags!, true)
    }
    const bytes = new Uint8Array(data.buffer)
    return this.request(type, 0, bytes.length > 0 ? [bytes] : [], []).status
  }

  request(type: number, sector: number, out: Uint8Array[], sizes: number[], indirect = false) {
    const { driver } = this
    const { memory } = driver.machine
    const queue = driver.queues[0]!
    const header = driver.data
    memory.writeU32(header, type)
    memory.writeU32(header + 4, 0)
    memory.writeU32(header + 8, sector % 2 ** 32)
    memory.writeU32(header + 12, Math.floor(sector / 2 ** 32))
    const parts: TestDescriptor[] = [{ address: header, length: 16 }]
    let next = header + 0x2001
    const place = (length: number, writable: boolean) => {
      parts.push({ address: next, length, writable })
      next += length + 3
      return next - length - 3
    }
    for (const bytes of out) memory.write(place(bytes.length, false), bytes)
    const targets = sizes.map((size) => place(size, true))
    const status = place(1, true)
    memory.writeU8(status, 0xff)
    const head = indirect ? queue.addIndirect(header + 0x1000, parts) : queue.add(parts)
    driver.kick(0)
    driver.machine.until('the answer', () => ((queue.usedIndex - this.seen) & 0xffff) === 1)
    this.seen = queue.usedIndex
    const used = queue.takeUsed()
    assert.equal(used[0]!.id, head)
    const data = Buffer.concat(sizes.map((size, i) => memory.bytes(targets[i]!, size)))
    return { status: memory.readU8(status), written: used[0]!.length, data: new Uint8Array(data) }
  }
  private seen = 0
}
