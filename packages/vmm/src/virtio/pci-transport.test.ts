import assert from 'node:assert/strict'
import fs from 'node:fs'
import { afterEach, test } from 'node:test'
import { COMMAND, PCI } from '../pci/registers.ts'
import {
  STATUS,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
} from './constants.ts'
import type { VirtioContext, VirtioDevice } from './device.ts'
import { DeviceConfig } from './device-config.ts'
import { TestMachine } from './testing/machine.ts'
import { COMMON, PciDriver } from './testing/pci-driver.ts'

const { ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, DEVICE_NEEDS_RESET } = STATUS
const FEATURE_A = 1n << 3n
const FEATURE_NEEDS_A = 1n << 40n

/** A device that returns every chain of queue 0 with as many bytes as it can write, and counts its life. */
class EchoDevice implements VirtioDevice {
  readonly name = 'echo'
  readonly deviceId = 42
  readonly queueSizes = [64, 16]
  readonly features = FEATURE_A | FEATURE_NEEDS_A
  readonly config = new DeviceConfig(8, (offset, size, value) => this.written.push([offset, size, value]))
  readonly counters = {}
  readonly written: number[][] = []
  context: VirtioContext | undefined
  activations = 0
  resets = 0
  closes = 0
  misbehave: Error | undefined

  acceptsFeatures(negotiated: bigint): boolean {
    return (negotiated & FEATURE_NEEDS_A) === 0n || (negotiated & FEATURE_A) !== 0n
  }
  activate(context: VirtioContext): void {
    this.activations++
    this.context = context
  }
  notify(index: number): void {
    if (this.misbehave) throw this.misbehave
    const queue = this.context!.queues[index]!
    do {
      queue.disableNotify()
      for (let chain = queue.pop(); chain; chain = queue.pop()) queue.push(chain, chain.writableBytes)
    } while (queue.enableNotify())
    this.context!.interrupt(index)
  }
  reset(): void {
    this.resets++
    this.context = undefined
  }
  close(): void {
    this.closes++
  }
}

const machines: TestMachine[] = []
afterEach(() => {
  for (const machine of machines.splice(0)) machine.close()
})
function setUp() {
  const machine = new TestMachine()
  machines.push(machine)
  const device = new EchoDevice()
  const driver = new PciDriver(machine, device)
  return { machine, device, driver }
}

test('identity and capabilities are those of a modern device', () => {
  const { driver } = setUp()
  assert.equal(driver.pciRead(0, 4), ((0x1040 + 42) << 16) | 0x1af4)
  assert.ok(driver.pciRead(PCI.REVISION_ID, 1) >= 1)
  assert.ok(driver.pciRead(PCI.SUBSYSTEM_ID, 2) >= 0x40)
  for (const type of [1, 2, 3, 4, 5]) {
    const { capability, length } = driver.structure(type)
    assert.ok(driver.pciRead(capability + 2, 1) >= 16)
    assert.ok(type === 5 || length > 0)
  }
  assert.ok(driver.structure(1).length >= 56)
  assert.equal(driver.structure(4).length, 8)
  assert.equal(driver.common(COMMON.NUM_QUEUES, 2), 2)
})

test('the whole way: negotiate, set up, ring, used ring, interrupt', () => {
  const { machine, device, driver } = setUp()
  assert.equal(
    driver.offered(),
    FEATURE_A | FEATURE_NEEDS_A | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_EVENT_IDX | VIRTIO_F_RING_INDIRECT_DESC,
  )
  driver.start(FEATURE_A)
  assert.equal(driver.status, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)
  assert.equal(device.activations, 1)
  assert.equal(device.context?.features, FEATURE_A | VIRTIO_F_VERSION_1)
  const queue = driver.queues[0]!
  const head = queue.add([{ address: driver.data, length: 77, writable: true }])
  assert.notEqual(driver.notifyAddress(0), driver.notifyAddress(1))
  driver.kick(0)
  machine.until('an interrupt of queue 0', () => driver.interrupts(0) === 1)
  assert.deepEqual(queue.takeUsed(), [{ id: head, length: 77 }])
  assert.equal(driver.interrupts(1), 0)

  // The same as an ordinary write, which happens when the guest's access could not be matched.
  queue.add([{ address: driver.data, length: 5, writable: true }])
  machine.mmio.write(driver.notifyAddress(0), 2, 0)
  assert.equal(queue.takeUsed().length, 1)
  assert.equal(driver.interrupts(0), 2)
})

test('features: unknown ones, no VERSION_1, and a broken dependency are refused; they freeze after FEATURES_OK', () => {
  const { driver } = setUp()
  assert.equal(driver.negotiate(VIRTIO_F_VERSION_1 | (1n << 5n)), false)
  assert.equal(driver.negotiate(FEATURE_A), false)
  assert.equal(driver.negotiate(VIRTIO_F_VERSION_1 | FEATURE_NEEDS_A), false)
  driver.status |= DRIVER_OK
  assert.equal(driver.status & DRIVER_OK, 0, 'not without FEATURES_OK')
  assert.equal(driver.negotiate(VIRTIO_F_VERSION_1 | FEATURE_NEEDS_A | FEATURE_A), true)
  driver.setCommon(COMMON.DRIVER_FEATURE_SELECT, 4, 0)
  driver.setCommon(COMMON.DRIVER_FEATURE, 4, 0)
  assert.equal(driver.common(COMMON.DRIVER_FEATURE, 4), Number(FEATURE_A))
  driver.setCommon(COMMON.DRIVER_FEATURE_SELECT, 4, 2)
  driver.setCommon(COMMON.DRIVER_FEATURE, 4, 0xffff_ffff)
  assert.equal(driver.common(COMMON.DRIVER_FEATURE, 4), 0)
  driver.setCommon(COMMON.DEVICE_FEATURE_SELECT, 4, 7)
  assert.equal(driver.common(COMMON.DEVICE_FEATURE, 4), 0)
})

test("status bits only leave by a reset, and NEEDS_RESET is not the driver's to set", () => {
  const { driver } = setUp()
  driver.status = ACKNOWLEDGE | DRIVER
  driver.status = ACKNOWLEDGE
  assert.equal(driver.status, ACKNOWLEDGE | DRIVER)
  driver.status |= DEVICE_NEEDS_RESET
  assert.equal(driver.status, ACKNOWLEDGE | DRIVER)
  driver.status = 0
  assert.equal(driver.status, 0)
})

test('a reset while requests are queued forgets them, and the device starts again', () => {
  const { machine, device, driver } = setUp()
  driver.start(0n)
  driver.queues[0]!.add([{ address: driver.data, length: 1, writable: true }])
  driver.kick(0)
  // The kick is in the eventfd, not yet served.
  driver.status = 0
  assert.equal(driver.status, 0)
  assert.equal(device.resets, 1)
  machine.loop.runOnce(50)
  assert.equal(driver.queues[0]!.usedIndex, 0)
  driver.setCommon(COMMON.QUEUE_SELECT, 2, 0)
  assert.equal(driver.common(COMMON.QUEUE_ENABLE, 2), 0)
  assert.equal(driver.common(COMMON.QUEUE_SIZE, 2), 64)
  assert.equal(driver.common(COMMON.QUEUE_DESC, 4), 0)
  assert.equal(driver.common(COMMON.QUEUE_VECTOR, 2), 0xffff)
  assert.equal(driver.common(COMMON.CONFIG_VECTOR, 2), 0xffff)
  driver.status = 0
  assert.equal(device.resets, 1, 'nothing to reset')

  driver.start(0n)
  driver.queues[0]!.add([{ address: driver.data, length: 1, writable: true }])
  driver.kick(0)
  machine.until('service after the reset', () => driver.queues[0]!.usedIndex === 1)
})

test('chains that were available before DRIVER_OK are served without another ring', () => {
  const { device, driver } = setUp()
  driver.negotiate(VIRTIO_F_VERSION_1)
  driver.setUpQueues()
  driver.queues[0]!.add([{ address: driver.data, length: 3, writable: true }])
  driver.kick(0)
  driver.machine.loop.runOnce(50)
  assert.equal(device.context, undefined)
  driver.status |= DRIVER_OK
  assert.equal(driver.queues[0]!.usedIndex, 1)
})

test('a broken ring fails this device alone: NEEDS_RESET, a config interrupt, one line, and reset heals', () => {
  const { machine, driver } = setUp()
  driver.start(0n)
  const generation = driver.common(COMMON.GENERATION, 1)
  driver.queues[0]!.offer(999)
  driver.kick(0)
  machine.until('NEEDS_RESET', () => (driver.status & DEVICE_NEEDS_RESET) !== 0)
  assert.equal(machine.vectors[0]!.fired, 1)
  assert.notEqual(driver.common(COMMON.GENERATION, 1), generation)
  driver.queues[1]!.add([{ address: driver.data, length: 1, writable: true }])
  driver.kick(1)
  driver.kick(0)
  machine.loop.runOnce(50)
  assert.equal(driver.queues[1]!.usedIndex, 0, 'the whole device stopped')
  assert.equal(driver.messages.length, 1)
  assert.match(driver.messages[0]!, /virtio-echo: queue 0: descriptor-index-out-of-range \(999 of 64\)/)
  driver.start(0n)
  assert.equal(driver.status & DEVICE_NEEDS_RESET, 0)
})

test('an exception in a device is a failure of that device only', () => {
  const { machine, device, driver } = setUp()
  driver.start(0n)
  device.misbehave = new Error('our own bug')
  driver.kick(0)
  machine.until('NEEDS_RESET', () => (driver.status & DEVICE_NEEDS_RESET) !== 0)
  assert.match(driver.messages[0]!, /our own bug/)
  device.misbehave = undefined
  driver.start(0n)
  const fired = machine.vectors[0]!.fired
  device.context!.loop.after(0, () => {
    throw new RangeError('in a callback')
  })
  machine.until('the failure', () => machine.vectors[0]!.fired === fired + 1)
  assert.match(driver.messages[1]!, /in a callback/)
})

test('queue registers: what is not there, what is too large, and what is enabled already', () => {
  const { driver } = setUp()
  driver.negotiate(VIRTIO_F_VERSION_1)
  driver.setCommon(COMMON.QUEUE_SELECT, 2, 2)
  assert.equal(driver.common(COMMON.QUEUE_SIZE, 2), 0)
  assert.equal(driver.common(COMMON.QUEUE_VECTOR, 2), 0xffff)
  driver.setCommon(COMMON.QUEUE_ENABLE, 2, 1)
  driver.setCommon(COMMON.QUEUE_SELECT, 2, 1)
  driver.setCommon(COMMON.QUEUE_VECTOR, 2, 3)
  assert.equal(driver.common(COMMON.QUEUE_VECTOR, 2), 0xffff, 'there are three vectors')
  driver.setCommon(COMMON.QUEUE_VECTOR, 2, 2)
  assert.equal(driver.common(COMMON.QUEUE_VECTOR, 2), 2)
  assert.equal(driver.status & DEVICE_NEEDS_RESET, 0)
  driver.setUpQueues()
  driver.setCommon(COMMON.QUEUE_SIZE, 2, 8)
  assert.equal(driver.common(COMMON.QUEUE_SIZE, 2), 16, 'enabled: its registers are fixed')
  driver.setCommon(COMMON.QUEUE_ENABLE, 2, 0)
  assert.equal(driver.common(COMMON.QUEUE_ENABLE, 2), 1)
})

test('a queue that cannot be right is refused when it is enabled', () => {
  const { driver } = setUp()
  for (const [register, size, value] of [
    [COMMON.QUEUE_SIZE, 2, 12],
    [COMMON.QUEUE_SIZE, 2, 32768],
    [COMMON.QUEUE_DESC, 4, 0xf000_0000],
    [COMMON.QUEUE_DESC, 4, 0x1004],
    [COMMON.QUEUE_DEVICE + 4, 4, 0xffff_ffff],
  ] as const) {
    driver.negotiate(VIRTIO_F_VERSION_1)
    driver.setCommon(COMMON.QUEUE_SELECT, 2, 0)
    driver.setCommon(COMMON.QUEUE_DESC, 4, 0x1000)
    driver.setCommon(COMMON.QUEUE_DRIVER, 4, 0x2000)
    driver.setCommon(COMMON.QUEUE_DEVICE, 4, 0x3000)
    driver.setCommon(register, size, value)
    driver.setCommon(COMMON.QUEUE_ENABLE, 2, 1)
    assert.equal(driver.common(COMMON.QUEUE_ENABLE, 2), 0)
    assert.equal(driver.status & DEVICE_NEEDS_RESET, DEVICE_NEEDS_RESET)
    driver.status |= DRIVER_OK
    assert.equal(
      driver.fn.transport.device instanceof EchoDevice && driver.fn.transport.device.activations,
      0,
    )
  }
  driver.status = 0
  driver.setCommon(COMMON.QUEUE_ENABLE, 2, 1)
  assert.match(driver.messages.at(-1)!, /before FEATURES_OK/)
})

test('without MSI-X the ISR byte and the pin tell, and reading acknowledges', () => {
  const { machine, device, driver } = setUp()
  driver.negotiate(VIRTIO_F_VERSION_1)
  driver.setUpQueues()
  driver.status |= DRIVER_OK
  const isr = driver.structure(3).address
  driver.queues[0]!.add([{ address: driver.data, length: 1, writable: true }])
  driver.kick(0)
  machine.until('the pin', () => machine.levels.get(18) === true)
  device.context!.configChanged()
  assert.equal(machine.mmio.read(isr, 1), 3)
  assert.equal(machine.levels.get(18), false)
  assert.equal(machine.mmio.read(isr, 1), 0)
  device.context!.configChanged()
  driver.status = 0
  assert.equal(machine.levels.get(18), false, 'a reset takes the pin down')
})

test('the device configuration is read and written at any width, and only as far as it reaches', () => {
  const { machine, device, driver } = setUp()
  device.config.setU64(0, 0x0807_0605_0403)
  const at = driver.structure(4).address
  assert.equal(machine.mmio.read(at, 4), 0x0605_0403)
  assert.equal(machine.mmio.read(at + 4, 2), 0x0807)
  assert.equal(machine.mmio.read(at + 1, 1), 4)
  assert.equal(machine.mmio.read(at + 8, 4), 0)
  assert.equal(machine.mmio.read(at + 0xffc, 4), 0)
  machine.mmio.write(at + 4, 2, 0x1234)
  machine.mmio.write(at + 8, 2, 0x1234)
  assert.deepEqual(device.written, [[4, 2, 0x1234]])
  // A field of another width than its own.
  assert.equal(driver.common(COMMON.NUM_QUEUES, 1), 0)
  assert.equal(driver.common(COMMON.STATUS + 20, 1), 0)
})

test('the configuration-access capability reaches the registers without a mapping', () => {
  const { device, driver } = setUp()
  device.config.setU64(0, 0xaabb_ccdd)
  const { capability } = driver.structure(5)
  const through = (offset: number, length: number) => {
    driver.pciWrite(capability + 4, 1, 4)
    driver.pciWrite(capability + 8, 4, offset)
    driver.pciWrite(capability + 12, 4, length)
  }
  through(0x2000, 4)
  assert.equal(driver.pciRead(capability + 16, 4), 0xaabb_ccdd)
  through(0x2000, 2)
  assert.equal(driver.pciRead(capability + 16, 2), 0xccdd)
  through(COMMON.STATUS, 1)
  driver.pciWrite(capability + 16, 1, ACKNOWLEDGE)
  assert.equal(driver.status, ACKNOWLEDGE)
  for (const [offset, length] of [
    [0x2001, 4],
    [0x3ffe, 4],
    [0xffff_fffc, 4],
    [0x2000, 3],
    [0x2000, 0],
  ] as const) {
    through(offset, length)
    assert.equal(driver.pciRead(capability + 16, 4), 0)
    driver.pciWrite(capability + 16, 4, 0xffff_ffff)
  }
  assert.deepEqual(device.written, [])
})

test('notifies follow the BAR, and bus mastering off leaves guest memory alone', () => {
  const { machine, driver } = setUp()
  driver.start(0n)
  assert.equal(machine.notifies.size, 2)
  driver.pciWrite(PCI.BAR0 + 16, 4, 0xd000_0000)
  assert.deepEqual([...machine.notifies.keys()], [0xd000_3000, 0xd000_3004])
  const command = driver.pciRead(PCI.COMMAND, 2)
  driver.pciWrite(PCI.COMMAND, 2, command & ~COMMAND.MEMORY_SPACE)
  assert.equal(machine.notifies.size, 0)
  driver.pciWrite(PCI.COMMAND, 2, command & ~COMMAND.BUS_MASTER)
  driver.queues[0]!.add([{ address: driver.data, length: 1, writable: true }])
  driver.kick(0)
  machine.loop.runOnce(50)
  assert.equal(driver.queues[0]!.usedIndex, 0)
  driver.pciWrite(PCI.COMMAND, 2, command)
  assert.equal(driver.queues[0]!.usedIndex, 1)
})

test('closing gives everything back, also with requests queued', () => {
  const openFds = () => fs.readdirSync('/proc/self/fd').length
  const machine = new TestMachine()
  machines.push(machine)
  const before = openFds()
  const device = new EchoDevice()
  const driver = new PciDriver(machine, device)
  driver.start(0n)
  driver.queues[0]!.add([{ address: driver.data, length: 1, writable: true }])
  driver.kick(0)
  driver.bus.reset()
  driver.start(0n)
  driver.kick(0)
  driver.bus.close()
  assert.equal(openFds(), before)
  assert.equal(machine.notifies.size, 0)
  assert.equal(machine.mmio.ranges.size, 0)
  assert.deepEqual([device.activations, device.resets, device.closes], [2, 2, 1])
  machine.loop.runOnce(0)
})
