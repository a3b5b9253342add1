/** Transitional devices behind their legacy interface, under a driver of before VIRTIO 1.0 that does what the input says. */
import { PciBus } from '../../pci/bus.ts'
import { legacyRing } from '../../virtio/legacy-registers.ts'
import { VirtioPciFunction } from '../../virtio/pci-transport.ts'
import { TestMachine } from '../../virtio/testing/machine.ts'
import { ByteSource, EDGES } from '../byte-source.ts'
import type { FuzzTarget } from '../target.ts'
import { virtioRecipes } from './virtio.ts'

const SLOT = 2
const LAYOUT = { mmio32Start: 0xc000_0000, mmio32End: 0xe000_0000, ecamStart: 0xe000_0000, pic: true }
const RING_PAGE = 16
const REQUEST = 0x10_0000
const DATA = 0x18_0000
const REGISTER = { features: 4, address: 8, select: 14, notify: 16, status: 18 } as const
const transitional = virtioRecipes.filter(({ name }) =>
  ['virtio-block', 'virtio-scsi', 'virtio-net', 'virtio-rng'].includes(name),
)

export const virtioLegacy: FuzzTarget = {
  name: 'virtio-legacy',
  about: 'the legacy interface of disks, CD-ROM drives, networks and random numbers',
  runsInTest: 150,
  run(input) {
    const source = new ByteSource(input)
    const { make, request } = source.pick(transitional)
    const machine = new TestMachine(4 << 20)
    const { memory, loop } = machine
    const bus = new PciBus(machine.platform, LAYOUT)
    const { device, release } = make()
    bus.plug(SLOT, new VirtioPciFunction(device, { memory, transitional: true }))
    const port = bus.ecam.read((SLOT << 15) + 0x10, 4) & ~3
    const write = (at: number, size: number, value: number): void => machine.pio.write(port + at, size, value)
    const read = (at: number, size: number): number => machine.pio.read(port + at, size)
    const ringOf = (index: number) => legacyRing(RING_PAGE * (1 + index), device.queueSizes[index]!)
    const start = (features: number): void => {
      write(REGISTER.status, 1, 0)
      write(REGISTER.status, 1, 3)
      write(REGISTER.features, 4, features)
      for (const index of device.queueSizes.keys()) {
        write(REGISTER.select, 2, index)
        write(REGISTER.address, 4, RING_PAGE * (1 + index))
      }
      write(REGISTER.status, 1, 7)
    }
    try {
      start(read(0, 4) & (source.oneIn(2) ? 0xffff_ffff : source.u32()))
      while (!source.done) {
        const index = source.below(device.queueSizes.length)
        switch (source.below(5)) {
          case 0: {
            const size = 1 << source.below(3)
            const value = source.oneIn(2) ? source.pick(EDGES) : source.u32()
            write(source.below(128), size, size === 4 ? value : value & (2 ** (8 * size) - 1))
            const got = read(source.below(128), size)
            if (!Number.isInteger(got)) throw new Error(`a register reads ${got}`)
            break
          }
          case 1:
            bus.ecam.write((SLOT << 15) + source.below(256), 1 << source.below(3), source.pick(EDGES))
            break
          default: {
            const ring = ringOf(index)
            const bytes = request(source)
            memory.write(REQUEST, bytes)
            const put = (at: number, address: number, length: number, flags: number): void => {
              memory.writeU64(ring.descriptors + at * 16, address)
              memory.writeU32(ring.descriptors + at * 16 + 8, length)
              memory.writeU16(ring.descriptors + at * 16 + 12, flags)
              memory.writeU16(ring.descriptors + at * 16 + 14, source.oneIn(12) ? source.u16() : at + 1)
            }
            put(0, REQUEST, Math.max(1, bytes.length), source.oneIn(12) ? source.u8() : 1)
            put(1, DATA + source.u16(), source.pick([1, 16, 512, 4096, 70_000]), source.pick([1, 3, 3, 5]))
            put(2, DATA, 1 + source.below(64), 2)
            const next = memory.readU16(ring.available + 2)
            memory.writeU16(
              ring.available + 4 + (next % device.queueSizes[index]!) * 2,
              source.oneIn(12) ? source.u16() : 0,
            )
            memory.writeU16(ring.available + 2, source.oneIn(12) ? source.u16() : next + 1)
            write(REGISTER.notify, 2, index)
          }
        }
        loop.runOnce(0)
      }
      bus.reset()
      for (const index of device.queueSizes.keys())
        memory.fill(ringOf(index).descriptors, RING_PAGE * 4096, 0)
      start(read(0, 4))
      if (read(REGISTER.status, 1) !== 7)
        throw new Error(`an honest driver is not served: ${read(REGISTER.status, 1)}`)
    } finally {
      bus.close()
      release?.()
      machine.close()
    }
  },
}
