/** Devices at fixed addresses, under accesses of any width anywhere in their range. */
import type { BusDevice } from '../../bus/device.ts'
import { AcpiPm, PM1_BYTES } from '../../chipset/acpi-pm.ts'
import { Cmos } from '../../chipset/cmos.ts'
import type { MachineEvents } from '../../chipset/events.ts'
import { GenerationId } from '../../chipset/generation-id.ts'
import { GPE_BYTES, GpeBlock } from '../../chipset/gpe.ts'
import { I8042Command, I8042Data } from '../../chipset/i8042.ts'
import { Ps2Keyboard } from '../../chipset/ps2-keyboard.ts'
import { ResetControl } from '../../chipset/reset-control.ts'
import { Uart } from '../../chipset/uart.ts'
import { FLASH_BLOCK_BYTES, Flash } from '../../firmware/flash.ts'
import { FW_CFG_PORTS, FwCfg } from '../../firmware/fw-cfg.ts'
import { GuestMemory } from '../../memory/guest-memory.ts'
import { PciBus } from '../../pci/bus.ts'
import * as libc from '../../sys/libc.ts'
import { VirtioMmioDevice } from '../../virtio/mmio-transport.ts'
import { VirtioPciFunction } from '../../virtio/pci-transport.ts'
import { RngDevice } from '../../virtio/rng.ts'
import { TestMachine } from '../../virtio/testing/machine.ts'
import { I6300esb } from '../../watchdog/i6300esb.ts'
import { ByteSource, EDGES } from '../byte-source.ts'
import type { FuzzTarget } from '../target.ts'

export const nobody: MachineEvents = { powerOff() {}, reset() {}, panic() {} }
const RAM = 1 << 20

/** What a bus promises the vCPU: any read is a number, and of no more bits than were asked for. */
function checkValue(device: BusDevice, offset: number, size: number): void {
  const value = device.read(offset, size)
  if (!Number.isInteger(value)) throw new Error(`${device.name}: reading ${offset}/${size} gave ${value}`)
}

function portTarget(
  name: string,
  about: string,
  range: number,
  make: (memory: GuestMemory) => BusDevice,
): FuzzTarget {
  return {
    name,
    about,
    runsInTest: 500,
    run(input) {
      const source = new ByteSource(input)
      const memory = GuestMemory.ofBuffers([{ guestAddress: 0, buffer: new ArrayBuffer(RAM) }])
      const device = make(memory)
      while (!source.done) {
        const size = 1 << source.below(3)
        const offset = source.below(range - size + 1)
        const action = source.below(4)
        if (action === 0) checkValue(device, offset, size)
        else if (action === 1) memory.write(source.below(RAM - 64), source.take(source.below(32)))
        else {
          const value = source.below(2) === 0 ? source.u32() : source.pick(EDGES)
          device.write(offset, size, value & (size === 4 ? -1 : (1 << (8 * size)) - 1))
        }
      }
      for (let offset = 0; offset < Math.min(range, 64); offset++) checkValue(device, offset, 1)
    },
  }
}

const fwCfg = portTarget('fw-cfg', 'QEMU firmware configuration, with DMA', FW_CFG_PORTS, (memory) => {
  const device = new FwCfg(memory)
  device.addFile(
    'etc/fixed',
    Uint8Array.from({ length: 100 }, (_, i) => i),
  )
  const generationId = new GenerationId({
    ...{ memory, id: '00112233-4455-6677-8899-aabbccddeeff' },
    notify: () => {},
  })
  const told = new Uint8Array(8)
  device.addFile('etc/vmgenid_addr', told, () => {
    // Any address a guest may name, and then a machine that is another one.
    generationId.placed(Number(new DataView(told.buffer).getBigUint64(0, true)))
    generationId.restore({ ...generationId.save()!, id: 'ffeeddcc-bbaa-9988-7766-554433221100' })
  })
  device.addFile('etc/made', { size: 40, make: () => new Uint8Array(40).fill(9) })
  return device
})

const flash = portTarget('flash', 'the flash chip of UEFI variables', 4 * FLASH_BLOCK_BYTES, () => {
  return new Flash(new Uint8Array(4 * FLASH_BLOCK_BYTES).fill(0xff), { readable() {}, written() {} })
})

const keyboard = portTarget(
  'i8042',
  'the keyboard controller and its keyboard, with somebody typing',
  5,
  () => {
    const ps2 = new Ps2Keyboard()
    const command = new I8042Command(nobody, { keyboard: ps2, line: { setLevel() {} } })
    const data = new I8042Data(command)
    const byOffset = (offset: number): BusDevice | undefined =>
      [data, undefined, undefined, undefined, command][offset]
    return {
      name: 'i8042',
      read: (offset) => byOffset(offset)?.read(0, 1) ?? 0xff,
      write(offset, size, value) {
        if (offset === 2) ps2.key(value & 0x1ff, (value & 0x200) !== 0)
        else if (offset === 3) command.restore(JSON.parse(JSON.stringify(command.save())))
        else byOffset(offset)?.write(0, size, value)
      },
    }
  },
)

const chipset: FuzzTarget = portTarget(
  'chipset',
  'power management, clock, keyboard controller, reset',
  16,
  () => {
    const parts: BusDevice[] = [
      new AcpiPm({ setLevel() {} }, nobody),
      new Cmos(512 << 20, 1 << 30),
      new I8042Command(nobody),
      new ResetControl(nobody),
      new GpeBlock({ setLevel() {} }),
    ]
    const ranges = [PM1_BYTES, 2, 1, 1, GPE_BYTES]
    const find = (offset: number, size: number): [BusDevice, number] | undefined => {
      let at = 0
      for (const [i, part] of parts.entries()) {
        if (offset >= at && offset + size <= at + ranges[i]!) return [part, offset - at]
        at += ranges[i]!
      }
      return undefined
    }
    return {
      name: 'chipset',
      read: (offset, size) => {
        const found = find(offset, size)
        return found ? found[0].read(found[1], size) : 0xff
      },
      write: (offset, size, value) => {
        const found = find(offset, size)
        found?.[0].write(found[1], size, value)
      },
    }
  },
)

const uart: FuzzTarget = {
  name: 'uart',
  about: 'the serial port, with somebody typing and a snapshot now and then',
  runsInTest: 300,
  run(input) {
    const fd = libc.check('eventfd', libc.eventfdCreate(0, libc.EFD.NONBLOCK | libc.EFD.CLOEXEC))
    try {
      const source = new ByteSource(input)
      const make = (): Uart => new Uart({ shared: Uart.allocate(), irqFd: fd, attentionFd: fd })
      let port = make()
      while (!source.done) {
        const choice = source.below(8)
        if (choice < 4) port.writeRegister(source.below(8), source.u8())
        else if (choice < 6) {
          const register = source.below(8)
          const value = port.readRegister(register)
          if (!(value >= 0 && value <= 255)) throw new Error(`register ${register} reads ${value}`)
        } else if (choice === 6) port.offerInput(source.take(source.u8()))
        else {
          const state = port.save()
          port = make()
          port.restore(state)
          const again = JSON.stringify(port.save())
          if (again !== JSON.stringify(state)) throw new Error('a restored port is another one')
        }
        libc.read(fd, new Uint8Array(8), 8)
      }
    } finally {
      libc.close(fd)
    }
  },
}

const pci: FuzzTarget = {
  name: 'pci',
  about: 'configuration space by ports and ECAM, BARs moved anywhere',
  runsInTest: 300,
  run(input) {
    const source = new ByteSource(input)
    const machine = new TestMachine(1 << 20)
    const bus = new PciBus(machine.platform, {
      mmio32Start: 0xc000_0000,
      mmio32End: 0xe000_0000,
      ecamStart: 0xe000_0000,
    })
    for (const slot of [1, 2])
      bus.plug(slot, new VirtioPciFunction(new RngDevice(), { memory: machine.memory }))
    try {
      while (!source.done) {
        const size = 1 << source.below(3)
        const value = source.below(2) === 0 ? source.u32() : source.pick(EDGES)
        const device = source.below(2) === 0 ? bus.ecam : bus.configPorts
        const range = device === bus.ecam ? 4 << 15 : 8
        const offset = source.oneIn(4) ? source.below(range - size + 1) : (1 << 15) + source.below(64)
        const at = Math.min(offset, range - size)
        if (source.below(3) === 0) checkValue(device, at, size)
        else device.write(at, size, value)
      }
      for (const [start, { length }] of machine.mmio.ranges) {
        if (start < 0xc000_0000 || start + length > 0xe000_0000) throw new Error(`a BAR answers at ${start}`)
      }
    } finally {
      bus.close()
      machine.close()
    }
  },
}

const watchdog: FuzzTarget = {
  name: 'i6300esb',
  about: 'the watchdog timer: registers, locks, pauses and snapshots at any moment',
  runsInTest: 300,
  run(input) {
    const source = new ByteSource(input)
    const machine = new TestMachine(1 << 16)
    const layout = { mmio32Start: 0xc000_0000, mmio32End: 0xe000_0000, ecamStart: 0xe000_0000 }
    const device = new I6300esb({ bite() {}, timedOut: source.oneIn(2) })
    const bus = new PciBus(machine.platform, layout)
    bus.plug(1, device)
    const bar = 0xc000_0000
    try {
      while (!source.done) {
        const size = 1 << source.below(3)
        const value = source.oneIn(3) ? source.pick(EDGES) : source.pick([0x80, 0x86, 1, 2, 3, 0x100, 0x300])
        const masked = size === 4 ? value : value & ((1 << (8 * size)) - 1)
        switch (source.below(6)) {
          case 0:
            bus.ecam.write((1 << 15) + source.pick([0x60, 0x61, 0x68, source.u8()]), size, masked)
            break
          case 1:
            device.setClock(source.oneIn(2))
            break
          case 2: {
            const state = bus.save()
            bus.restore(state)
            if (bus.save().functions[1]!.watchdog!.timer1 !== state.functions[1]!.watchdog!.timer1) {
              throw new Error('a restored watchdog is another one')
            }
            break
          }
          case 3:
            machine.loop.runOnce(0)
            break
          default:
            machine.mmio.write(bar + source.below(16), size, masked)
            checkValue(device, source.below(16), size)
        }
      }
    } finally {
      bus.close()
      machine.close()
    }
  },
}

const mmio: FuzzTarget = {
  name: 'virtio-mmio',
  about: "virtio's registers over MMIO, in any order, with snapshots in between",
  runsInTest: 300,
  run(input) {
    const source = new ByteSource(input)
    const machine = new TestMachine(1 << 20)
    const { memory, platform } = machine
    const place = { address: 0xe100_0000, irq: 5 }
    const device = new VirtioMmioDevice(new RngDevice(), { memory, platform, ...place })
    const registers = [
      0x14, 0x10, 0x20, 0x24, 0x30, 0x38, 0x44, 0x50, 0x64, 0x70, 0x80, 0x84, 0x90, 0xa0, 0x100,
    ]
    try {
      while (!source.done) {
        const offset = source.oneIn(6) ? source.u16() & 0xffc : source.pick(registers)
        const value = source.oneIn(3) ? source.pick(EDGES) : source.pick([0, 1, 3, 8, 11, 15, 0x1000, 0x2000])
        const size = source.oneIn(8) ? 1 << source.below(2) : 4
        if (source.oneIn(10)) {
          const state = device.save()
          device.transport.reset()
          device.restore(state)
        } else if (source.oneIn(6)) memory.write(0x1000 + source.below(0x3000), source.take(16))
        else device.write(offset, size, size === 4 ? value : value & ((1 << (8 * size)) - 1))
        checkValue(device, offset, size)
        machine.loop.runOnce(0)
      }
      device.write(0x70, 4, 0)
      if (device.read(0x70, 4) !== 0) throw new Error('a reset leaves a status behind')
    } finally {
      device.close()
      machine.close()
    }
  },
}

export const portTargets: readonly FuzzTarget[] = [chipset, keyboard, uart, pci, fwCfg, flash, watchdog, mmio]
