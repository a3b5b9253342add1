import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, afterEach, test } from 'node:test'
import { blockingDisk } from '../../disk/testing/blocking-disk.ts'
import { seeded, type TestDescriptor } from '../testing/driver.ts'
import { TestMachine } from '../testing/machine.ts'
import { PciDriver } from '../testing/pci-driver.ts'
import { BLOCK_BYTES } from './cdrom.ts'
import { OPERATION, REQUEST_BYTES, REQUEST_HEADER_BYTES, RESPONSE, RESPONSE_BYTES } from './protocol.ts'
import { ScsiDevice } from './scsi.ts'

const BLOCKS = 40
const REQUEST_QUEUE = 2
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-scsi-'))
after(() => fs.rmSync(folder, { recursive: true }))

const open: { close(): void }[] = []
afterEach(() => {
  for (const thing of open.splice(0)) thing.close()
})

function setUp() {
  const file = path.join(folder, 'disc.iso')
  const random = seeded(7)
  const content = new Uint8Array(BLOCKS * BLOCK_BYTES + 100).map(() => random(256))
  fs.writeFileSync(file, content)
  const machine = new TestMachine()
  const device = new ScsiDevice([blockingDisk(file, { readOnly: true })])
  const driver = new PciDriver(machine, device)
  open.push(driver.bus, machine)
  driver.start(driver.offered())
  let seen = 0
  const submit = (queueIndex: number, out: Uint8Array, sizes: readonly number[]) => {
    const queue = driver.queues[queueIndex]!
    machine.memory.write(driver.data, out)
    const parts: TestDescriptor[] = [{ address: driver.data, length: out.length }]
    const targets: number[] = []
    let next = driver.data + 0x1001
    for (const size of sizes) {
      machine.memory.fill(next, size, 0xee)
      parts.push({ address: next, length: size, writable: true })
      targets.push(next)
      next += size + 5
    }
    queue.add(parts)
    driver.kick(queueIndex)
    return {
      queue,
      read: () => Buffer.concat(sizes.map((size, i) => machine.memory.bytes(targets[i]!, size))),
    }
  }
  /** One command; `room` is what there is for data. */
  const command = (cdb: readonly number[], room = 0, target = 0, unit = 0) => {
    const out = new Uint8Array(REQUEST_BYTES)
    out.set([1, target, 0x40, unit])
    out.set(cdb, REQUEST_HEADER_BYTES)
    const { queue, read } = submit(REQUEST_QUEUE, out, room > 0 ? [RESPONSE_BYTES, room] : [RESPONSE_BYTES])
    machine.until('the answer', () => ((queue.usedIndex - seen) & 0xffff) === 1)
    seen = queue.usedIndex
    queue.takeUsed()
    const bytes = read()
    const residual = bytes.readUInt32LE(4)
    return {
      response: bytes[11]!,
      status: bytes[10]!,
      sense: [bytes[14]! & 0xf, bytes[24]!],
      data: bytes.subarray(RESPONSE_BYTES, RESPONSE_BYTES + room - residual),
    }
  }
  return { content, device, driver, machine, submit, command }
}

test('a drive is found, told to be ready after its new medium was noticed, and read', () => {
  const { command, content, driver } = setUp()
  assert.equal(driver.pciRead(0, 4), 0x1048_1af4)
  const inquiry = command([OPERATION.INQUIRY, 0, 0, 0, 36], 96)
  assert.equal(inquiry.data.length, 36)
  assert.equal(inquiry.data[0], 5)
  assert.match(inquiry.data.toString('latin1'), /CD-ROM/)
  assert.deepEqual(command([OPERATION.REPORT_LUNS, 0, 0, 0, 0, 0, 0, 0, 0, 16], 16).data[3], 8)
  assert.deepEqual(command([OPERATION.TEST_UNIT_READY]).sense, [6, 0x28])
  assert.equal(command([OPERATION.TEST_UNIT_READY]).status, 0)
  const capacity = command([OPERATION.READ_CAPACITY_10], 8).data
  assert.deepEqual([capacity.readUInt32BE(0), capacity.readUInt32BE(4)], [BLOCKS - 1, BLOCK_BYTES])
  const read = command([OPERATION.READ_10, 0, 0, 0, 0, 3, 0, 0, 2], 2 * BLOCK_BYTES)
  assert.deepEqual(read.data, Buffer.from(content.subarray(3 * BLOCK_BYTES, 5 * BLOCK_BYTES)))
  const last = command([OPERATION.READ_12, 0, 0, 0, 0, BLOCKS - 1, 0, 0, 0, 1], BLOCK_BYTES)
  assert.deepEqual(last.data, Buffer.from(content.subarray((BLOCKS - 1) * BLOCK_BYTES, BLOCKS * BLOCK_BYTES)))
})

test('answers are cut to what the sender takes, and the table of contents ends where the disc does', () => {
  const { command } = setUp()
  command([OPERATION.TEST_UNIT_READY])
  assert.equal(command([OPERATION.INQUIRY, 0, 0, 0, 5], 96).data.length, 5)
  const toc = command([OPERATION.READ_TOC, 0, 0, 0, 0, 0, 0, 0, 40], 40).data
  assert.equal(toc.readUInt16BE(0), toc.length - 2)
  assert.equal(toc[toc.length - 6], 0xaa)
  assert.equal(toc.readUInt32BE(toc.length - 4), BLOCKS)
  assert.equal(command([OPERATION.MODE_SENSE_6, 0, 0x2a, 0, 64], 64).data[4], 0x2a)
})

test('what is not there is refused by name: blocks, commands, units, targets', () => {
  const { command } = setUp()
  command([OPERATION.TEST_UNIT_READY])
  assert.deepEqual(command([OPERATION.READ_10, 0, 0, 0, 0, BLOCKS, 0, 0, 1], BLOCK_BYTES).sense, [5, 0x21])
  assert.deepEqual(command([OPERATION.READ_10, 0, 255, 255, 255, 255, 0, 255, 255], 16).sense, [5, 0x21])
  assert.deepEqual(command([0x2a, 0, 0, 0, 0, 0, 0, 0, 1], 0).sense, [5, 0x20])
  assert.deepEqual(command([OPERATION.TEST_UNIT_READY], 0, 0, 1).sense, [5, 0x25])
  assert.equal(command([OPERATION.INQUIRY, 0, 0, 0, 36], 36, 0, 1).data[0], 0x7f)
  assert.equal(command([OPERATION.TEST_UNIT_READY], 0, 1).response, RESPONSE.BAD_TARGET)
})

test('the guest ejects the disc; a person does too, unless the guest holds it: then it is asked', () => {
  const { command, device } = setUp()
  command([OPERATION.TEST_UNIT_READY])
  const event = () => command([OPERATION.GET_EVENT_STATUS_NOTIFICATION, 1, 0, 0, 0x10, 0, 0, 0, 8], 8).data
  assert.equal(event()[4], 2)
  command([OPERATION.PREVENT_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, 1])
  device.eject(0)
  assert.deepEqual([event()[4], event()[4]], [1, 0])
  assert.deepEqual(command([OPERATION.START_STOP_UNIT, 0, 0, 0, 2]).sense, [5, 0x53])
  command([OPERATION.PREVENT_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, 0])
  assert.equal(command([OPERATION.START_STOP_UNIT, 0, 0, 0, 2]).status, 0)
  assert.deepEqual(command([OPERATION.TEST_UNIT_READY]).sense, [2, 0x3a])
  assert.deepEqual([...event().subarray(4, 6)], [3, 1])
  device.eject(0)
  device.eject(9)
})

test('requests without room for an answer fail the device, not the process; control requests are answered', () => {
  const { driver, submit, machine } = setUp()
  const control = submit(0, new Uint8Array(24), [1])
  machine.until('the control answer', () => control.queue.usedIndex === 1)
  assert.equal(control.read()[0], 0)
  submit(REQUEST_QUEUE, new Uint8Array(REQUEST_BYTES), [RESPONSE_BYTES - 1])
  machine.until('NEEDS_RESET', () => (driver.fn.transport.status & 64) !== 0)
  assert.match(driver.messages.join(), /readable and 107 writable/)
})
