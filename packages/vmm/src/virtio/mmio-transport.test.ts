import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { STATUS, VIRTIO_F_VERSION_1 } from './constants.ts'
import { VIRTIO_MMIO_BYTES, VirtioMmioDevice } from './mmio-transport.ts'
import { RngDevice } from './rng.ts'
import { TestQueue } from './testing/driver.ts'
import { notifyKey, TestMachine } from './testing/machine.ts'

const ADDRESS = 0xe100_0000
const IRQ = 5
const R = {
  ...{ magic: 0, version: 4, deviceId: 8, deviceFeatures: 0x10, deviceFeaturesSelect: 0x14 },
  ...{ driverFeatures: 0x20, driverFeaturesSelect: 0x24, queueSelect: 0x30, queueSizeMax: 0x34 },
  ...{ queueSize: 0x38, queueReady: 0x44, notify: 0x50, interruptStatus: 0x60, interruptAck: 0x64 },
  ...{ status: 0x70, descriptors: 0x80, driver: 0x90, device: 0xa0, generation: 0xfc, config: 0x100 },
}
const DATA = 0x10_0000
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

function setUp() {
  const machine = new TestMachine()
  const logged: string[] = []
  const device = new VirtioMmioDevice(new RngDevice(), {
    ...{ memory: machine.memory, platform: machine.platform, address: ADDRESS, irq: IRQ },
    log: (text) => logged.push(text),
  })
  let closed = false
  const close = (): void => {
    if (!closed) device.close()
    closed = true
  }
  closers.push(() => {
    close()
    machine.close()
  })
  const read = (register: number): number => machine.mmio.read(ADDRESS + register, 4)
  const write = (register: number, value: number): void => machine.mmio.write(ADDRESS + register, 4, value)
  const queue = new TestQueue(machine.memory, 0x1_0000, 8)
  const setUpQueue = (): void => {
    write(R.queueSelect, 0)
    write(R.queueSize, queue.size)
    write(R.descriptors, queue.descriptors)
    write(R.driver, queue.available)
    write(R.device, queue.used)
    write(R.queueReady, 1)
  }
  const negotiate = (features: bigint): boolean => {
    write(R.status, 0)
    write(R.status, STATUS.ACKNOWLEDGE | STATUS.DRIVER)
    for (const half of [0, 1]) {
      write(R.driverFeaturesSelect, half)
      write(R.driverFeatures, Number((features >> BigInt(32 * half)) & 0xffff_ffffn))
    }
    write(R.status, read(R.status) | STATUS.FEATURES_OK)
    return (read(R.status) & STATUS.FEATURES_OK) !== 0
  }
  return {
    ...{ machine, device, logged, read, write, queue, setUpQueue, negotiate, close },
    start(): void {
      assert.ok(negotiate(VIRTIO_F_VERSION_1))
      setUpQueue()
      write(R.status, read(R.status) | STATUS.DRIVER_OK)
    },
    ask(length = 64): void {
      queue.add([{ address: DATA, length, writable: true }])
      machine.ring(notifyKey(ADDRESS + R.notify, 0))
    },
    level: () => machine.levels.get(IRQ) === true,
  }
}

test('it says what it is, and serves a driver that walks its registers as Linux does', () => {
  const vm = setUp()
  assert.equal(vm.read(R.magic), 0x7472_6976)
  assert.deepEqual([vm.read(R.version), vm.read(R.deviceId)], [2, 4])
  vm.write(R.deviceFeaturesSelect, 1)
  assert.equal(vm.read(R.deviceFeatures) & 1, 1, 'VERSION_1')
  vm.write(R.queueSelect, 0)
  assert.equal(vm.read(R.queueSizeMax), 8)
  vm.write(R.queueSelect, 1)
  assert.equal(vm.read(R.queueSizeMax), 0)
  vm.start()
  assert.equal(vm.read(R.queueReady), 1)
  vm.ask()
  vm.machine.until('entropy', () => vm.queue.usedIndex === 1)
  assert.ok(vm.machine.memory.bytes(DATA, 64).some((byte) => byte !== 0))
  assert.equal(vm.level(), true)
  assert.equal(vm.read(R.interruptStatus), 1)
  vm.write(R.interruptAck, 2)
  assert.equal(vm.level(), true, 'only what was acknowledged goes')
  vm.write(R.interruptAck, 1)
  assert.deepEqual([vm.level(), vm.read(R.interruptStatus)], [false, 0])
})

test('a notify that comes as an ordinary write is served; a queue that is not there is nobody’s', () => {
  const vm = setUp()
  vm.start()
  vm.queue.add([{ address: DATA, length: 16, writable: true }])
  vm.write(R.notify, 7)
  assert.equal(vm.queue.usedIndex, 0)
  vm.write(R.notify, 0)
  assert.equal(vm.queue.usedIndex, 1)
})

test('features that were not offered are refused, and a queue before them breaks the device until a reset', () => {
  const vm = setUp()
  assert.equal(vm.negotiate(0n), false, 'without VERSION_1')
  assert.equal(vm.negotiate(VIRTIO_F_VERSION_1 | (1n << 5n)), false)
  vm.write(R.status, 0)
  vm.write(R.status, STATUS.ACKNOWLEDGE | STATUS.DRIVER)
  vm.setUpQueue()
  assert.ok(vm.read(R.status) & STATUS.DEVICE_NEEDS_RESET)
  assert.match(vm.logged.join(), /before FEATURES_OK/)
  vm.start()
  assert.equal(vm.read(R.status), 15)
  vm.ask()
  vm.machine.until('entropy', () => vm.queue.usedIndex === 1)
})

test('a queue is taken back by its driver; other widths than 32 bits mean nothing', () => {
  const vm = setUp()
  vm.start()
  vm.machine.mmio.write(ADDRESS + R.queueReady, 1, 0)
  assert.equal(vm.read(R.queueReady), 1)
  vm.write(R.queueReady, 0)
  assert.equal(vm.read(R.queueReady), 0)
  vm.queue.add([{ address: DATA, length: 16, writable: true }])
  vm.write(R.notify, 0)
  assert.equal(vm.queue.usedIndex, 0)
  assert.equal(vm.machine.mmio.read(ADDRESS + R.magic, 2), 0)
  assert.equal(vm.read(R.config), 0)
  assert.equal(vm.read(0xb0), 0xffff_ffff, 'no shared memory')
  // Nothing selected that is not there can be taken back either.
  vm.write(R.queueSelect, 99)
  vm.write(R.queueReady, 0)
})

test('saved and restored it goes on with its rings, and raises what was not acknowledged', () => {
  const vm = setUp()
  vm.start()
  vm.ask()
  vm.machine.until('entropy', () => vm.queue.usedIndex === 1)
  const state = vm.device.save()
  assert.equal(state.isr, 1)
  vm.write(R.status, 0)
  assert.equal(vm.level(), false)
  vm.device.restore(state)
  assert.equal(vm.level(), true)
  assert.equal(vm.read(R.status), 15)
  vm.write(R.interruptAck, 1)
  vm.device.transport.resumed()
  assert.equal(vm.level(), true, 'an interrupt that was on its way is not lost')
  vm.ask()
  vm.machine.until('entropy', () => vm.queue.usedIndex === 2)
})

test('it leaves nothing behind', () => {
  const vm = setUp()
  vm.start()
  vm.close()
  assert.equal(vm.machine.mmio.ranges.size + vm.machine.notifies.size, 0)
  assert.equal(vm.machine.mmio.read(ADDRESS + VIRTIO_MMIO_BYTES - 4, 4), 0xffff_ffff)
})
