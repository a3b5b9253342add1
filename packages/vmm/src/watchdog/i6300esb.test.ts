import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { PciBus } from '../pci/bus.ts'
import { PCI } from '../pci/registers.ts'
import { VirtioPciFunction } from '../virtio/pci-transport.ts'
import { RngDevice } from '../virtio/rng.ts'
import { TestMachine } from '../virtio/testing/machine.ts'
import { I6300esb } from './i6300esb.ts'

const SLOT = 1
const FUNCTION = 1
const LOCK = 0x68
const CONFIG = 0x60
const RELOAD = 0xc
/** 33 ticks of 1 MHz are about a millisecond; so are 2 of 1 kHz. */
const SHORT = 2
const LONG = 0xf_ffff
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

function build(options: { timedOut?: boolean } = {}) {
  const machine = new TestMachine(65536)
  let bites = 0
  const watchdog = new I6300esb({ bite: () => bites++, ...options })
  const bus = new PciBus(machine.platform, {
    ...{ mmio32Start: 0xc000_0000, mmio32End: 0xe000_0000, ecamStart: 0xe000_0000 },
  })
  bus.plug(SLOT, new VirtioPciFunction(new RngDevice(), { memory: machine.memory }))
  bus.plug(SLOT, watchdog, FUNCTION)
  closers.push(() => {
    bus.close()
    machine.close()
  })
  const at = (((SLOT << 3) | FUNCTION) << 12) >>> 0
  const config = (register: number, size: number) => bus.ecam.read(at + register, size)
  const setConfig = (register: number, size: number, value: number) =>
    bus.ecam.write(at + register, size, value)
  const bar = config(PCI.BAR0, 4)
  const read = (register: number) => machine.mmio.read(bar + register, 4)
  /** As Linux writes: each after the two bytes that let it through. */
  const write = (register: number, value: number) => {
    machine.mmio.write(bar + RELOAD, 2, 0x80)
    machine.mmio.write(bar + RELOAD, 2, 0x86)
    machine.mmio.write(bar + register, 4, value)
  }
  const arm = (first: number, second: number) => {
    setConfig(CONFIG, 2, 3)
    write(0, first)
    write(4, second)
    setConfig(LOCK, 1, 2)
  }
  return {
    ...{ machine, watchdog, bus, config, setConfig, read, write, arm, bar },
    bites: () => bites,
    /** Lets the loop run until every timer that is due fired. */
    settle: () => machine.loop.runOnce(50),
  }
}

test('it is found as another function of a slot whose first says that there are more', () => {
  const { config, bus } = build()
  assert.equal(config(PCI.VENDOR_ID, 4), 0x25ab_8086)
  assert.equal(config(PCI.CLASS_CODE + 2, 1), 0x08)
  assert.equal(bus.ecam.read((SLOT << 15) + PCI.HEADER_TYPE, 1), 0x80)
  assert.equal(bus.ecam.read((SLOT << 15) + (2 << 12), 4), 0xffff_ffff)
})

test('a guest that goes silent is bitten once; reloading begins again', () => {
  const { machine, arm, bites, write, read, settle } = build()
  arm(SHORT, SHORT)
  machine.until('the bite', () => bites() === 1)
  assert.equal(read(RELOAD), 0x200, 'it says that it timed out')
  settle()
  assert.equal(bites(), 1)
  write(RELOAD, 0x300)
  assert.equal(read(RELOAD), 0)
  machine.until('another bite', () => bites() === 2)
})

test('a guest that reloads, disables or only watches is left alone', () => {
  const { machine, arm, bites, write, setConfig, read, settle, bar } = build()
  arm(LONG, LONG)
  write(0, SHORT)
  write(4, SHORT)
  settle()
  assert.equal(bites(), 0, 'new times count from the next reload on')
  setConfig(LOCK, 1, 0)
  write(RELOAD, 0x100)
  settle()
  assert.equal(bites(), 0)
  // Reboot disabled, with an interrupt by pin after the first stage.
  setConfig(CONFIG, 2, 0x20)
  setConfig(LOCK, 1, 2)
  machine.until('the interrupt', () => read(8) === 1)
  assert.equal(machine.levels.get(16 + SLOT), true)
  machine.until('the time-out', () => read(RELOAD) === 0x200)
  assert.equal(bites(), 0)
  setConfig(LOCK, 1, 0)
  machine.mmio.write(bar + 8, 4, 1)
  assert.equal(machine.levels.get(16 + SLOT), false)
})

test('registers change only after the unlocking bytes, and a locked watchdog stays on until a reset', () => {
  const { machine, watchdog, bus, arm, bar, config, setConfig, settle, bites } = build()
  arm(LONG, LONG)
  for (const bytes of [[], [0x80], [0x86], [0x86, 0x80], [0x80, 0x80]]) {
    for (const byte of bytes) machine.mmio.write(bar + RELOAD, 2, byte)
    machine.mmio.write(bar, 4, SHORT)
    assert.equal(watchdog.save().watchdog.timer1, LONG)
  }
  setConfig(LOCK, 1, 3)
  setConfig(LOCK, 1, 0)
  assert.equal(config(LOCK, 1), 3)
  assert.ok(watchdog.save().watchdog.remainingMs! > 0)
  bus.reset()
  assert.equal(config(LOCK, 1), 0)
  assert.equal(watchdog.save().watchdog.remainingMs, undefined)
  settle()
  assert.equal(bites(), 0)
})

test('while the machine stands still no time passes', () => {
  const { machine, watchdog, arm, bites, settle } = build()
  watchdog.setClock(false)
  arm(SHORT, SHORT)
  settle()
  assert.equal(bites(), 0)
  watchdog.setClock(true)
  watchdog.setClock(false)
  settle()
  assert.equal(bites(), 0)
  watchdog.setClock(true)
  machine.until('the bite', () => bites() === 1)
})

test('a saved one goes on counting in another process, and tells the guest why the last machine ended', () => {
  const first = build()
  first.arm(LONG, SHORT)
  const state = first.bus.save()
  const { remainingMs } = state.functions.find(({ name }) => name === 'i6300esb')!.watchdog!
  assert.ok(remainingMs! > 0)
  const second = build()
  second.bus.restore(state)
  assert.equal(second.config(LOCK, 1), 2)
  const again = second.watchdog.save().watchdog
  assert.equal(again.timer1, LONG)
  assert.ok(again.remainingMs! <= remainingMs!)
  // Nearly over when it was saved: it bites soon after.
  const third = build({ timedOut: true })
  assert.equal(third.read(RELOAD), 0x200)
  const short = structuredClone(state)
  Object.assign(short.functions.find(({ name }) => name === 'i6300esb')!.watchdog!, {
    remainingMs: 1,
    stage: 2,
  })
  third.bus.restore(short)
  assert.equal(third.read(RELOAD), 0)
  third.machine.until('the bite', () => third.bites() === 1)
})
