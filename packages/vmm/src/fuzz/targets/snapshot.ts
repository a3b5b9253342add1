/** The state of devices in a snapshot that somebody changed, given to new ones. */
import { chipsetStateSchemas, parseVmSnapshot } from '@hearth/shared/vm-snapshot'
import { plugChipset } from '../../chipset/plug.ts'
import { TestMachine } from '../../virtio/testing/machine.ts'
import { PciDriver } from '../../virtio/testing/pci-driver.ts'
import { ByteSource, EDGES } from '../byte-source.ts'
import type { FuzzTarget } from '../target.ts'
import { nobody } from './ports.ts'
import { stepOf, virtioRecipes } from './virtio.ts'

const STEPS = 12

/** A line for people about what does not fit is an answer; what the language itself throws is a fault of ours. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  !(error instanceof TypeError) &&
  !/^(Invalid|Array buffer|Offset)/.test(error.message)

export const snapshot: FuzzTarget = {
  name: 'snapshot',
  about: 'the state of any virtio device in a snapshot that somebody changed',
  runsInTest: 100,
  run(input) {
    const source = new ByteSource(input)
    const { make, request } = source.pick(virtioRecipes)
    const machine = new TestMachine(4 << 20)
    let made = make()
    let driver = new PciDriver(machine, made.device)
    try {
      driver.start(driver.offered(), 16)
      for (let step = source.below(STEPS); step > 0; step--) {
        stepOf(driver, source, request)
        machine.loop.runOnce(0)
      }
      const state = JSON.parse(JSON.stringify(driver.bus.save())) as unknown
      for (let changes = source.below(6); changes > 0; changes--) change(state, source)
      const parsed = parseVmSnapshot({ ...EMPTY, devices: { chipset: {}, pci: state } })
      if (!parsed.ok) return
      driver.bus.close()
      made.release?.()
      made = make()
      const { queues } = driver
      driver = new PciDriver(machine, made.device)
      driver.queues = queues
      try {
        driver.bus.restore(parsed.snapshot.devices.pci)
      } catch (error) {
        if (!isRefusal(error)) throw error
        return
      }
      driver.bus.resumed()
      machine.loop.runOnce(0)
      for (let step = source.below(STEPS); step > 0; step--) {
        stepOf(driver, source, request)
        machine.loop.runOnce(0)
      }
      driver.bus.reset()
      driver.start(driver.offered())
      if (driver.status !== 15) throw new Error('an honest driver is not served')
    } finally {
      driver.bus.close()
      made.release?.()
      machine.close()
    }
  },
}

export const chipsetSnapshot: FuzzTarget = {
  name: 'snapshot-chipset',
  about: 'the state of the devices at fixed ports in a snapshot that somebody changed',
  runsInTest: 300,
  run(input) {
    const source = new ByteSource(input)
    const machine = new TestMachine(1 << 16)
    const display = {}
    const plug = (pio: TestMachine['pio']) =>
      plugChipset(
        pio,
        machine.platform.interrupts,
        { lowRam: 1 << 16, highRam: 0, display },
        nobody,
        machine.loop,
      )
    const ports = [0x60, 0x64, 0x70, 0x71, 0x505, 0x600, 0x602, 0x604, 0x620, 0x622]
    try {
      const first = plug(machine.pio)
      for (let step = source.below(STEPS); step > 0; step--)
        machine.pio.write(source.pick(ports), 1, source.u8())
      const state = JSON.parse(JSON.stringify(first.save())) as unknown
      for (let changes = source.below(6); changes > 0; changes--) change(state, source)
      const parsed = parseVmSnapshot({
        ...EMPTY,
        devices: { chipset: state, pci: { configAddress: 0, functions: [] } },
      })
      if (!parsed.ok) return
      const other = new TestMachine(1 << 16)
      try {
        const second = plug(other.pio)
        second.restore(parsed.snapshot.devices.chipset)
        for (let step = source.below(STEPS); step > 0; step--) {
          const port = source.pick(ports)
          const value = other.pio.read(port, 1)
          if (!(value >= 0 && value <= 0xff)) throw new Error(`port 0x${port.toString(16)} reads ${value}`)
          other.pio.write(source.pick(ports), 1, source.u8())
          other.loop.runOnce(0)
        }
        // What it is now is again what a snapshot may have.
        for (const [name, part] of Object.entries(second.save())) {
          if (part !== undefined) chipsetStateSchemas[name as keyof typeof chipsetStateSchemas].parse(part)
        }
      } finally {
        other.close()
      }
    } finally {
      machine.close()
    }
  },
}

/** Replaces one value somewhere in a tree. */
function change(tree: unknown, source: ByteSource): void {
  let node = tree as Record<string, unknown>
  for (let depth = 0; depth < 12; depth++) {
    const keys = Object.keys(node)
    if (keys.length === 0) return
    const key = source.pick(keys)
    const value = node[key]
    if (typeof value === 'object' && value !== null && !source.oneIn(12)) {
      node = value as Record<string, unknown>
      continue
    }
    const text = typeof value === 'string'
    node[key] = source.pick<unknown>([
      source.pick(EDGES),
      source.u8(),
      text ? value.replace(/.$/, 'A') : !value,
      text && value.startsWith('0x') ? `0x${source.u32().toString(16)}` : source.u16(),
      text ? source.pick(['..', '../../secret', '', '/', '\0']) : source.pick(EDGES) * 2 ** 20,
      null,
    ])
    return
  }
}

const zeroes = (length: number): string => Buffer.alloc(length).toString('base64')
/** What a snapshot has beside its devices. */
const EMPTY = {
  v: 1,
  savedAt: 0,
  cpus: 1,
  memoryBytes: 1 << 20,
  disks: [],
  kernel: { clock: '0x0', tscKhz: 1, pit: zeroes(112), irqchips: [zeroes(520), zeroes(520), zeroes(520)] },
  vcpus: [
    {
      ...{ cpuid: [], mpState: 0, regs: zeroes(144), sregs: zeroes(312), xsave: '', xcrs: zeroes(392) },
      ...{ debugRegs: zeroes(128), lapic: zeroes(1024), events: zeroes(64), msrs: [] },
    },
  ],
  uart: {
    ...{ ier: 0, lcr: 0, mcr: 0, scr: 0, divisor: 0 },
    ...{ fifoEnabled: false, thrEmptyPending: false, input: '' },
  },
}
