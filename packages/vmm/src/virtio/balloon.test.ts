import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BALLOON_F, BalloonDevice } from './balloon.ts'
import { STATUS } from './constants.ts'
import { TestMachine } from './testing/machine.ts'
import { PciDriver } from './testing/pci-driver.ts'

const PAGE = 4096
const MIB = 1024 * 1024
const [INFLATE, DEFLATE, STATISTICS, REPORTING] = [0, 1, 2, 3]
/** Guest memory the tests play with; it lies across the border of the machine's two regions. */
const FIELD = 8 * MIB - 4 * PAGE

function setUp(features?: bigint, options: { keep?: boolean } = {}) {
  const machine = new TestMachine()
  const device = new BalloonDevice(options)
  const driver = new PciDriver(machine, device)
  driver.start(features ?? driver.offered())
  machine.memory.fill(FIELD, 8 * PAGE, 0xaa)
  return {
    machine,
    device,
    driver,
    /** Sends a list of page numbers and waits for the answer, or for the device's end. */
    pages(queue: number, numbers: readonly number[], bytes = numbers.length * 4) {
      const list = driver.data
      for (const [i, number] of numbers.entries()) machine.memory.writeU32(list + i * 4, number)
      const seen = driver.queues[queue]!.usedIndex
      driver.queues[queue]!.add([{ address: list, length: bytes }])
      driver.kick(queue)
      machine.until('an answer', () => driver.queues[queue]!.usedIndex !== seen)
    },
    /** Which of the field's pages still hold what the driver wrote. */
    kept: () =>
      Array.from({ length: 8 }, (_, i) =>
        machine.memory.readU8(FIELD + i * PAGE + 7) === 0xaa ? '#' : '.',
      ).join(''),
    close() {
      driver.bus.close()
      machine.close()
    },
  }
}
const page = (i: number): number => FIELD / PAGE + i

describe('balloon', () => {
  test('pages the guest gives are gone, in any order and over the border of regions; taken back they are zero', () => {
    const balloon = setUp()
    balloon.pages(INFLATE, [page(5), page(4), page(3)])
    assert.equal(balloon.kept(), '###...##')
    balloon.pages(INFLATE, [page(0), page(1), page(7)])
    assert.equal(balloon.kept(), '..#...#.')
    balloon.pages(DEFLATE, [page(0), page(5)])
    assert.equal(balloon.machine.memory.readU8(FIELD), 0)
    const { inflatedPages, deflatedPages, refusedBytes } = balloon.device.counters
    assert.deepEqual([inflatedPages, deflatedPages, refusedBytes], [6, 2, 0])
    balloon.close()
  })

  test('the host asks by the configuration, the guest says how far it is', () => {
    const { device, driver, machine, close } = setUp()
    driver.enableMsix()
    device.setTarget(5 * MIB)
    assert.equal(driver.configRead(0, 4), 1280)
    const { address } = driver.structure(4)
    machine.mmio.write(address + 4, 4, 1000)
    // What the host wants is not the driver's to change.
    machine.mmio.write(address, 4, 7)
    assert.deepEqual(device.state, {
      targetBytes: 5 * MIB,
      actualBytes: 1000 * PAGE,
      reportedBytes: 0,
      statistics: {},
    })
    driver.status = 0
    assert.deepEqual([driver.configRead(0, 4), driver.configRead(4, 4)], [1280, 0])
    close()
  })

  test('statistics: known ones by name, asked for again and again in one buffer', () => {
    const { device, driver, machine, close } = setUp()
    const queue = driver.queues[STATISTICS]!
    const tell = (stats: readonly (readonly [number, number])[]): void => {
      for (const [i, [tag, value]] of stats.entries()) {
        machine.memory.writeU16(driver.data + i * 10, tag)
        machine.memory.writeU64(driver.data + i * 10 + 2, value)
      }
      const before = device.counters.statistics
      queue.add([{ address: driver.data, length: stats.length * 10 }])
      driver.kick(STATISTICS)
      machine.until('the statistics', () => device.counters.statistics > before)
    }
    tell([
      [4, 123 * MIB],
      [5, 2 ** 40],
      [999, 1],
    ])
    assert.deepEqual(device.state.statistics, { free: 123 * MIB, total: 2 ** 40 })
    assert.equal(queue.usedIndex, 0, 'the buffer is the device’s until it wants new ones')
    device.askForStatistics()
    device.askForStatistics()
    assert.equal(queue.takeUsed().length, 1)
    tell([[6, 1]])
    assert.deepEqual(device.state.statistics, { available: 1 })
    close()
  })

  for (const [name, features, queue] of [
    ['with statistics', BALLOON_F.STATS_VQ | BALLOON_F.REPORTING, REPORTING],
    ['where the specification has its place', BALLOON_F.STATS_VQ | BALLOON_F.REPORTING, REPORTING + 1],
    ['without statistics', BALLOON_F.REPORTING, STATISTICS],
  ] as const) {
    test(`free pages the guest reports go to the host: queue ${queue}, ${name}`, () => {
      const { device, driver, machine, kept, close } = setUp(features | (1n << 32n))
      driver.queues[queue]!.add([
        { address: FIELD + PAGE, length: 2 * PAGE, writable: true },
        // Only whole pages go.
        { address: FIELD + 5 * PAGE - 1, length: PAGE + 2, writable: true },
      ])
      driver.kick(queue)
      machine.until('the report', () => driver.queues[queue]!.usedIndex === 1)
      assert.equal(kept(), '#..##.##')
      assert.equal(device.counters.reportedBytes, 3 * PAGE)
      close()
    })
  }

  test('told to keep memory, it takes reports and gives nothing away', () => {
    const { device, driver, machine, kept, close } = setUp(undefined, { keep: true })
    driver.queues[REPORTING]!.add([{ address: FIELD, length: 8 * PAGE, writable: true }])
    driver.kick(REPORTING)
    machine.until('the report', () => driver.queues[REPORTING]!.usedIndex === 1)
    assert.deepEqual([kept(), device.counters.reportedBytes], ['########', 0])
    close()
  })

  test('a guest that fills free pages with a pattern finds it again', () => {
    const { device, driver, machine, kept, close } = setUp()
    machine.mmio.write(driver.structure(4).address + 12, 4, 0xaaaa_aaaa)
    driver.queues[REPORTING]!.add([{ address: FIELD, length: 8 * PAGE, writable: true }])
    driver.kick(REPORTING)
    machine.until('the report', () => driver.queues[REPORTING]!.usedIndex === 1)
    assert.equal(kept(), '########')
    assert.equal(device.counters.reportedBytes, 0)
    close()
  })

  for (const [what, numbers, bytes] of [
    ['a page past the end of memory', [page(0), 16 * 256], undefined],
    ['a page past all addresses', [0xffff_ffff], undefined],
    ['a list that is cut off', [page(0)], 3],
    ['a list without end', [page(0)], 65_540],
  ] as const) {
    test(`${what} breaks this device and nothing else`, () => {
      for (const queue of [INFLATE, DEFLATE]) {
        const balloon = setUp()
        balloon.pages(queue, numbers, bytes)
        assert.ok(balloon.driver.status & STATUS.DEVICE_NEEDS_RESET)
        assert.equal(balloon.driver.messages.length, 1)
        balloon.driver.start(balloon.driver.offered())
        balloon.pages(INFLATE, [page(2)])
        assert.equal(balloon.kept().at(2), '.')
        balloon.close()
      }
    })
  }

  test('saved while the statistics buffer waits, it goes on with it', () => {
    const { device, driver, machine, close } = setUp()
    driver.queues[STATISTICS]!.add([{ address: driver.data, length: 20 }])
    driver.kick(STATISTICS)
    machine.until('the statistics', () => device.counters.statistics === 1)
    device.setTarget(MIB)
    machine.mmio.write(driver.structure(4).address + 4, 4, 17)
    assert.deepEqual(device.save(), { targetPages: 256, actualPages: 17, poison: 0 })
    driver.kick(STATISTICS)
    machine.until('the buffer again', () => device.counters.statistics === 2)
    device.askForStatistics()
    assert.equal(driver.queues[STATISTICS]!.usedIndex, 1)
    const other = new BalloonDevice()
    other.restore({ targetPages: 256, actualPages: 17, poison: 0 })
    assert.deepEqual([other.state.targetBytes, other.state.actualBytes], [MIB, 17 * PAGE])
    close()
  })
})
