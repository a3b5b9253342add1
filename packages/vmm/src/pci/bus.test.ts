import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { TestMachine } from '../virtio/testing/machine.ts'
import { PciBus } from './bus.ts'
import { ConfigSpace } from './config-space.ts'
import type { PciFunction, PciSlot } from './function.ts'
import { Msix } from './msix.ts'
import { COMMAND, PCI } from './registers.ts'

const LAYOUT = { mmio32Start: 0xc000_0000, mmio32End: 0xe000_0000, ecamStart: 0xc010_0000 }
const machines: TestMachine[] = []
afterEach(() => {
  for (const machine of machines.splice(0)) machine.close()
})

/** A function with two BARs and three MSI-X vectors. */
class TestFunction implements PciFunction {
  readonly name = 'test'
  readonly config = new ConfigSpace({
    vendor: 0x1234,
    device: 0x5678,
    revision: 7,
    classCode: 0x01_80_02,
    subsystemVendor: 0xabcd,
    subsystem: 0xef01,
    interruptPin: true,
  })
  readonly msix = new Msix(this.config, 1, 3)
  readonly moves: (number | undefined)[] = []
  slot: PciSlot | undefined
  closed = 0

  constructor() {
    this.config.addBar({ index: 1, kind: 'memory32', size: 4096, device: this.msix })
    this.config.addBar({
      index: 4,
      kind: 'memory32',
      size: 16384,
      device: { name: 'registers', read: (offset) => offset, write: () => {} },
      moved: (address) => this.moves.push(address),
    })
    this.config.commandChanged = () => this.slot?.intx.update()
  }
  attach(slot: PciSlot): void {
    this.slot = slot
    this.msix.attach(slot.platform.interrupts)
  }
  reset(): void {
    this.msix.reset()
    this.slot?.intx.set(false)
  }
  close(): void {
    this.closed++
    this.msix.close()
  }
}

function setUp() {
  const machine = new TestMachine(65536)
  machines.push(machine)
  const bus = new PciBus(machine.platform, LAYOUT)
  const fn = new TestFunction()
  bus.plug(3, fn)
  const select = (slot: number, register: number) =>
    bus.configPorts.write(0, 4, 0x8000_0000 + slot * 0x800 + (register & 0xfc))
  const read = (slot: number, register: number, size: number) => {
    select(slot, register)
    return bus.configPorts.read(4 + (register & 3), size)
  }
  const write = (slot: number, register: number, size: number, value: number) => {
    select(slot, register)
    bus.configPorts.write(4 + (register & 3), size, value)
  }
  const findCapability = (slot: number, id: number): number => {
    for (let at = read(slot, PCI.CAPABILITIES_POINTER, 1); at !== 0; at = read(slot, at + 1, 1)) {
      if (read(slot, at, 1) === id) return at
    }
    throw new Error(`no capability ${id}`)
  }
  return { machine, bus, fn, read, write, findCapability }
}

test('mechanism 1 answers as Linux probes it, and the host bridge is there', () => {
  const { bus, read } = setUp()
  // arch/x86/pci: CF8 must keep the enable bit, CFB must be a byte register of its own.
  bus.configPorts.write(3, 1, 1)
  bus.configPorts.write(0, 4, 0x8000_0000)
  assert.equal(bus.configPorts.read(0, 4), 0x8000_0000)
  assert.equal(read(0, PCI.CLASS_CODE + 1, 2), 0x0600)
  assert.notEqual(read(0, PCI.VENDOR_ID, 2), 0xffff)
  assert.equal(read(0, PCI.HEADER_TYPE, 1), 0)
})

test('nobody is at home in other slots, functions and buses, nor with the enable bit clear', () => {
  const { bus, read, write } = setUp()
  assert.equal(read(4, 0, 4), 0xffff_ffff)
  write(4, 0, 4, 0)
  for (const address of [0x8000_1900, 0x8001_1800, 0x0000_1800]) {
    bus.configPorts.write(0, 4, address)
    assert.equal(bus.configPorts.read(4, 2), 0xffff)
  }
  assert.equal(bus.configPorts.read(7, 2), 0xffff)
  assert.equal(bus.configPorts.read(0, 2), 0xffff)
})

test('the header says what the function is, through ports and through ECAM', () => {
  const { bus, read } = setUp()
  const ecam = (register: number, size: number) => bus.ecam.read((3 << 15) + register, size)
  for (const get of [(register: number, size: number) => read(3, register, size), ecam]) {
    assert.equal(get(0, 4), 0x5678_1234)
    assert.equal(get(PCI.REVISION_ID, 4), 0x0180_0207)
    assert.equal(get(PCI.SUBSYSTEM_VENDOR_ID, 4), 0xef01_abcd)
    assert.equal(get(PCI.INTERRUPT_PIN, 1), 1)
    assert.equal(get(PCI.INTERRUPT_LINE, 1), 19)
    assert.equal(get(PCI.STATUS, 2) & 0x10, 0x10)
  }
  assert.equal(ecam(256, 4), 0, 'no extended capabilities')
  assert.equal(ecam(0xffe, 4), 0xffff_ffff)
  assert.equal(bus.ecam.read(1 << 15, 4), 0xffff_ffff)
})

test('read-only registers stay', () => {
  const { read, write } = setUp()
  for (const register of [0, 4, 8, 0xc, 0x2c, 0x34, 0x3c]) write(3, register, 4, 0)
  assert.equal(read(3, 0, 4), 0x5678_1234)
  assert.equal(read(3, PCI.CLASS_CODE + 2, 1), 1)
  assert.equal(read(3, PCI.INTERRUPT_PIN, 1), 1)
  assert.equal(read(3, PCI.STATUS, 2), 0x10)
  assert.notEqual(read(3, PCI.CAPABILITIES_POINTER, 1), 0)
})

test('BARs have addresses from the start, are sized as Linux does, moved and followed', () => {
  const { machine, fn, read, write } = setUp()
  const before = read(3, PCI.BAR0 + 16, 4)
  assert.ok(before >= LAYOUT.mmio32Start && before % 16384 === 0)
  assert.equal(machine.mmio.read(before + 0x3004, 4), 0x3004)
  assert.deepEqual(fn.moves, [before])

  const command = read(3, PCI.COMMAND, 2)
  assert.equal(command & COMMAND.MEMORY_SPACE, COMMAND.MEMORY_SPACE)
  write(3, PCI.COMMAND, 2, command & ~COMMAND.MEMORY_SPACE)
  assert.equal(machine.mmio.read(before, 4), 0xffff_ffff)
  const sizes = [0, 1, 2, 3, 4, 5].map((index) => {
    const at = PCI.BAR0 + index * 4
    const old = read(3, at, 4)
    write(3, at, 4, 0xffff_ffff)
    const mask = read(3, at, 4)
    write(3, at, 4, old)
    return mask === 0 ? 0 : ~(mask & ~15) + 1
  })
  assert.deepEqual(sizes, [0, 4096, 0, 0, 16384, 0])
  write(3, PCI.BAR0 + 16, 4, 0xd000_0000)
  write(3, PCI.COMMAND, 2, command)
  assert.equal(machine.mmio.read(0xd000_0008, 4), 8)
  assert.equal(machine.mmio.read(before, 4), 0xffff_ffff)
  assert.deepEqual(fn.moves, [before, undefined, 0xd000_0000])
})

test('a BAR over another, over RAM or past the window answers nowhere and harms nobody', () => {
  const { machine, fn, read, write } = setUp()
  const msix = read(3, PCI.BAR0 + 4, 4)
  for (const place of [msix, 0x1000_0000, 0xfee0_0000, 0xdfff_c000 + 0x4000]) {
    write(3, PCI.BAR0 + 16, 4, place & ~0x3fff)
    const first = fn.moves.at(-1)
    assert.equal(first, undefined, place.toString(16))
  }
  assert.equal(machine.mmio.read(msix + 12, 4), 1, 'the MSI-X table is still there')
  write(3, PCI.BAR0 + 16, 4, 0xdfff_c000)
  assert.equal(fn.moves.at(-1), 0xdfff_c000)
})

test('allocation steps over ECAM, aligns, and ends with an error', () => {
  const { bus, fn } = setUp()
  assert.throws(() => bus.plug(3, fn), RangeError)
  const placed: number[] = []
  const plugBig = (slot: number, size: number) => {
    const big = new TestFunction()
    big.config.addBar({
      index: 0,
      kind: 'memory32',
      size,
      device: { name: 'big', read: () => 0, write: () => {} },
      moved: (address) => void (address !== undefined && placed.push(address)),
    })
    bus.plug(slot, big)
  }
  for (let slot = 4; slot < 10; slot++) plugBig(slot, 0x40000)
  for (const address of placed) {
    assert.equal(address % 0x40000, 0)
    assert.ok(address >= LAYOUT.ecamStart + 0x10_0000 || address + 0x40000 <= LAYOUT.ecamStart)
  }
  assert.equal(new Set(placed).size, 6)
  assert.throws(() => plugBig(20, 0x2000_0000), /no PCI addresses left/)
})

test('MSI-X as Linux programs it: mask all, write entries, unmask, fire, pending bits', () => {
  const { machine, fn, read, write, findCapability } = setUp()
  const cap = findCapability(3, 0x11)
  const control = read(3, cap + 2, 2)
  assert.equal((control & 0x7ff) + 1, 3)
  const bir = read(3, cap + 4, 4)
  assert.equal(bir & 7, 1)
  const table = read(3, PCI.BAR0 + (bir & 7) * 4, 4) + (bir & ~7)
  const pbaAt = read(3, cap + 8, 4)
  const pba = read(3, PCI.BAR0 + (pbaAt & 7) * 4, 4) + (pbaAt & ~7)

  fn.msix.fire(0)
  assert.equal(machine.vectors[0]!.fired, 0, 'not enabled')
  write(3, cap + 2, 2, control | 0xc000)
  const program = (index: number, low: number, data: number) => {
    machine.mmio.write(table + index * 16, 4, low)
    machine.mmio.write(table + index * 16 + 4, 4, 0)
    machine.mmio.write(table + index * 16 + 8, 4, data)
  }
  program(0, 0xfee0_1004, 0x41)
  program(1, 0xfee0_2004, 0x42)
  write(3, cap + 2, 2, (control | 0x8000) & ~0x4000)
  machine.mmio.write(table + 12, 4, 0)
  assert.deepEqual(machine.vectors[0]!.message, [0xfee0_1004, 0, 0x41])
  assert.equal(machine.vectors[1]!.message, undefined, 'still masked')
  fn.msix.fire(0)
  assert.equal(machine.vectors[0]!.fired, 1)

  fn.msix.fire(1)
  fn.msix.fire(1)
  assert.equal(machine.vectors[1]!.fired, 0)
  assert.equal(machine.mmio.read(pba, 4), 0b10)
  machine.mmio.write(pba, 4, 0)
  assert.equal(machine.mmio.read(pba, 4), 0b10, 'pending bits are read-only')
  machine.mmio.write(table + 16 + 12, 4, 0)
  assert.equal(machine.vectors[1]!.fired, 1, 'sent once when unmasked')
  assert.equal(machine.mmio.read(pba, 4), 0)

  // Function mask: nothing is sent, everything comes after it.
  write(3, cap + 2, 2, control | 0xc000)
  fn.msix.fire(0)
  fn.msix.fire(1)
  assert.equal(machine.mmio.read(pba, 4), 0b11)
  // Affinity change of a live vector while the function is masked.
  machine.mmio.write(table, 4, 0xfee0_3004)
  write(3, cap + 2, 2, (control | 0x8000) & ~0x4000)
  assert.deepEqual(machine.vectors[0]!.message, [0xfee0_3004, 0, 0x41])
  assert.deepEqual([machine.vectors[0]!.fired, machine.vectors[1]!.fired], [2, 2])
  assert.equal(machine.mmio.read(table + 4 * 16, 4), 0)
  assert.equal(machine.mmio.read(table + 8, 1), 0x41)
  fn.msix.fire(77)
})

test('INTx: shared lines, the status bit, and Interrupt Disable', () => {
  const { machine, bus, fn, read, write } = setUp()
  const other = new TestFunction()
  bus.plug(11, other)
  fn.slot!.intx.set(true)
  other.slot!.intx.set(true)
  other.slot!.intx.set(true)
  assert.equal(machine.levels.get(19), true)
  assert.equal(read(3, PCI.STATUS, 2) & 8, 8)
  fn.slot!.intx.set(false)
  assert.equal(machine.levels.get(19), true, 'the other one still asserts it')
  const command = read(11, PCI.COMMAND, 2)
  write(11, PCI.COMMAND, 2, command | COMMAND.INTERRUPT_DISABLE)
  assert.equal(machine.levels.get(19), false)
  assert.equal(read(11, PCI.STATUS, 2) & 8, 8, 'the wish stays visible')
  write(11, PCI.COMMAND, 2, command)
  assert.equal(machine.levels.get(19), true)
})

test('a machine reset puts everything back; close leaves nothing on the buses', () => {
  const { machine, bus, fn, read, write } = setUp()
  const bar = read(3, PCI.BAR0 + 16, 4)
  write(3, PCI.BAR0 + 16, 4, 0xd000_0000)
  write(3, PCI.COMMAND, 2, 0)
  write(3, PCI.INTERRUPT_LINE, 1, 5)
  fn.slot!.intx.set(true)
  bus.reset()
  assert.equal(read(3, PCI.BAR0 + 16, 4), bar)
  assert.equal(fn.moves.at(-1), bar)
  assert.equal(read(3, PCI.INTERRUPT_LINE, 1), 19)
  assert.equal(machine.levels.get(19) ?? false, false)
  bus.close()
  assert.equal(machine.mmio.ranges.size, 0)
  assert.equal(fn.closed, 1)
  assert.ok(machine.vectors.every((vector) => vector.released))
  bus.close()
  assert.equal(fn.closed, 1)
})

test("port CF9 is the chipset's reset control, not part of the address register", () => {
  const machine = new TestMachine(65536)
  machines.push(machine)
  const written: number[] = []
  const bus = new PciBus(machine.platform, {
    ...LAYOUT,
    resetControl: { name: 'cf9', read: () => 2, write: (_o, _s, value) => void written.push(value) },
  })
  bus.configPorts.write(1, 1, 6)
  assert.deepEqual(written, [6])
  assert.equal(bus.configPorts.read(1, 1), 2)
  assert.equal(bus.configPorts.read(0, 4), 0)
})
