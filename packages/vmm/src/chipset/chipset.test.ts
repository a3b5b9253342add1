import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AcpiPm, PWRBTN } from './acpi-pm.ts'
import { Cmos } from './cmos.ts'
import type { MachineEvents } from './events.ts'
import { I8042Command, I8042Data } from './i8042.ts'
import { pmTimerTicks, readPmTimer } from './pm-timer.ts'
import { Pvpanic } from './pvpanic.ts'
import { ResetControl } from './reset-control.ts'

const record = (): MachineEvents & { log: string[] } => {
  const log: string[] = []
  return {
    log,
    powerOff: () => log.push('off'),
    reset: (reason) => log.push(`reset by ${reason}`),
    panic: (kind) => log.push(kind),
  }
}

test('power-off needs S5 and SLP_EN together; SCI_EN always reads set', () => {
  const events = record()
  const pm = new AcpiPm({ setLevel: () => {} }, events)
  assert.equal(pm.read(4, 2), 1)
  pm.write(4, 2, 5 << 10)
  pm.write(4, 2, (3 << 10) | (1 << 13))
  assert.deepEqual(events.log, [])
  pm.write(4, 2, (5 << 10) | (1 << 13))
  assert.deepEqual(events.log, ['off'])
  assert.equal(pm.read(4, 2), 1 | (5 << 10))
})

test('the power button raises the SCI while enabled, until the driver clears it', () => {
  const levels: boolean[] = []
  const pm = new AcpiPm({ setLevel: (level) => levels.push(level) }, record())
  const level = (): boolean => levels.at(-1)!
  pm.pressPowerButton()
  assert.equal(level(), false)
  assert.equal(pm.read(0, 2), PWRBTN)
  pm.write(2, 2, PWRBTN)
  assert.equal(level(), true)
  // Writing zeroes clears nothing; status and enable are also one 32-bit register.
  pm.write(0, 2, 0)
  assert.equal(level(), true)
  assert.equal(pm.read(0, 4), PWRBTN | (PWRBTN << 16))
  pm.write(0, 2, PWRBTN)
  assert.equal(level(), false)
  assert.equal(pm.read(3, 1), PWRBTN >> 8)
})

test('the clock reads in BCD, UTC, 24 hours; its time cannot be written, its memory can', () => {
  const cmos = new Cmos(3 * 2 ** 30, 5 * 2 ** 30, () => new Date('2029-12-31T23:58:59Z'))
  const register = (index: number): number => {
    cmos.write(0, 1, index)
    return cmos.read(1, 1)
  }
  const time = [0x32, 9, 8, 7, 6, 4, 2, 0].map(register)
  assert.deepEqual(time, [0x20, 0x29, 0x12, 0x31, 2, 0x23, 0x58, 0x59])
  assert.equal(register(0x0a) & 0x80, 0, 'never updating')
  assert.equal(register(0x0b), 2)
  assert.equal(register(0x0d), 0x80)
  cmos.write(0, 1, 4)
  cmos.write(1, 1, 0x11)
  assert.equal(register(4), 0x23)
  cmos.write(0, 1, 0x80 | 0x50)
  cmos.write(1, 1, 0xab)
  assert.equal(register(0x50), 0xab)
  assert.equal(register(0x34) | (register(0x35) << 8), (3 * 2 ** 30 - 2 ** 24) / 2 ** 16)
  assert.equal((register(0x5b) | (register(0x5c) << 8) | (register(0x5d) << 16)) * 2 ** 16, 5 * 2 ** 30)
})

test('the keyboard controller is silent but for its reset line', () => {
  const events = record()
  const command = new I8042Command(events)
  const data = new I8042Data(command)
  assert.equal(command.read(), 0)
  command.write(0, 1, 0xaa)
  data.write(0, 1, 0)
  assert.deepEqual(events.log, [])
  command.write(0, 1, 0xd1)
  data.write(0, 1, 0x03)
  data.write(0, 1, 0xfe)
  assert.deepEqual(events.log, [])
  command.write(0, 1, 0xd1)
  data.write(0, 1, 0x02)
  command.write(0, 1, 0xfe)
  assert.deepEqual(events.log, ['reset by keyboard controller', 'reset by keyboard controller'])
})

test('the reset register acts on the rising edge of its bit', () => {
  const events = record()
  const reset = new ResetControl(events)
  reset.write(0, 1, 2)
  assert.equal(reset.read(), 2)
  assert.deepEqual(events.log, [])
  reset.write(0, 1, 6)
  assert.deepEqual(events.log, ['reset by reset register'])
})

test('pvpanic offers both events and tells them apart', () => {
  const events = record()
  const pvpanic = new Pvpanic(events)
  assert.equal(pvpanic.read(), 3)
  pvpanic.write(0, 1, 1)
  pvpanic.write(0, 1, 2)
  pvpanic.write(0, 1, 0x80)
  assert.deepEqual(events.log, ['panicked', 'crash-loaded'])
})

test('the PM timer counts 3.579545 MHz in 24 bits, exactly, however long the host is up', () => {
  assert.equal(pmTimerTicks(0, 0), 0)
  assert.equal(pmTimerTicks(1, 0), 3_579_545)
  assert.equal(pmTimerTicks(0, 1_000_000), 3579)
  const exact = (BigInt(987_654_321) * 3_579_545n + (123_456_789n * 3_579_545n) / 1_000_000_000n) % 2n ** 24n
  assert.equal(pmTimerTicks(987_654_321, 123_456_789), Number(exact))
  for (let i = 0; i < 1000; i++) assert.ok(readPmTimer() < 2 ** 24)
})
