/** What a machine with firmware has beside any other: its bridges, fw_cfg with all its files, flash, and an early screen. */

import { AddressSpace } from '../../bus/address-space.ts'
import { GenerationId } from '../../chipset/generation-id.ts'
import { allocateFrameBuffer, EarlyScreen, FrameBuffer } from '../../display/frame-buffer.ts'
import { createSurfaceMemory, Surface } from '../../display/surface.ts'
import { plugFirmware, type SavedPart } from '../../firmware/plug.ts'
import { EARLY_SCREEN, FIRMWARE, PORT } from '../../machine/layout.ts'
import { munmap } from '../../sys/libc.ts'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { GpuDevice } from '../../virtio/gpu/gpu.ts'
import { VirtioPciFunction } from '../../virtio/pci-transport.ts'
import { TestMachine } from '../../virtio/testing/machine.ts'
import { ByteSource, EDGES } from '../byte-source.ts'
import type { FuzzTarget } from '../target.ts'
import { nobody } from './ports.ts'

const RAM = 4 << 20
const VARIABLES = { bytes: 16 * 4096, address: 0xffc0_0000 } as const
const GPU_SLOT = 3
const DMA_ACCESS = 0x1000
const ID = '00112233-4455-6677-8899-aabbccddeeff'
/** Host bridge, LPC bridge, GPU, nothing. */
const SLOTS = [0, 31, GPU_SLOT, 7] as const
/** Command, BARs, the configuration window, shadow RAM. */
const REGISTERS = [0x04, 0x10, 0x14, 0x18, 0x20, 0x60, 0x90, 0x3c] as const
const ADDRESSES = [
  0,
  RAM,
  EARLY_SCREEN.address,
  0xb000_0000,
  0xe000_0000,
  0xf000_0000,
  FIRMWARE.pciEnd,
] as const

/** Memory of the host, taken once. */
let kept: { surface: Surface; pixels: number; variables: NativeBuffer } | undefined

export const firmware: FuzzTarget = {
  name: 'firmware',
  about: "a machine with firmware: bridges, fw_cfg's files, flash, frame buffer and its modes, in any order",
  runsInTest: 200,
  run(input) {
    kept ??= {
      surface: new Surface(createSurfaceMemory()),
      pixels: allocateFrameBuffer(),
      variables: new NativeBuffer(VARIABLES.bytes),
    }
    const { surface, pixels, variables } = kept
    const source = new ByteSource(input)
    const machine = new TestMachine(RAM)
    const { memory, loop } = machine
    const pio = new AddressSpace()
    const mmio = new AddressSpace()
    const platform = { ...machine.platform, pio, mmio }
    const screen = new EarlyScreen(surface, loop)
    let placed: number | undefined
    const place = (address: number | undefined): void => {
      // KVM knows a slot of memory by where it is, and takes none over another.
      if (
        address !== undefined &&
        (placed !== undefined || address < RAM || address + EARLY_SCREEN.bytes > FIRMWARE.pciEnd)
      ) {
        throw new Error(`the frame buffer is put at ${address}, and was at ${placed}`)
      }
      placed = address
    }
    const parts = new Map<string, SavedPart>()
    const generationId = new GenerationId({ memory, id: ID, notify() {} })
    const bios = source.oneIn(2)
    const bus = plugFirmware(
      {
        ...{ kind: bios ? 'bios' : 'uefi', bootOrder: ['/a', '/b'], videoRom: new Uint8Array(64) },
        variables: { guestAddress: VARIABLES.address, size: VARIABLES.bytes, hostAddress: variables.address },
      },
      {
        ...{ platform, memory, screen, cpus: 2, lowRam: RAM, highRam: 0, events: nobody },
        resetControl: { name: 'reset', read: () => 0, write() {} },
        withState: (name, part) => parts.set(name, part),
        setVariablesReadable() {},
        variablesWritten() {},
        generation: { bytes: new Uint8Array(16), placed: (address) => generationId.placed(address) },
      },
    )
    pio.add(PORT.pciConfig, 8, bus.configPorts)
    const frameBuffer = bios ? undefined : new FrameBuffer(pixels, screen, place, 'vbe')
    const gpu = new GpuDevice({ surface, early: screen, width: 640, height: 480 })
    bus.plug(GPU_SLOT, new VirtioPciFunction(gpu, { memory, frameBuffer }))
    const bar = (index: number): number => {
      pio.write(PORT.pciConfig, 4, 0x8000_0000 + GPU_SLOT * 0x800 + 0x10 + 4 * index)
      return (pio.read(PORT.pciConfig + 4, 4) & ~15) >>> 0
    }
    const value = (): number => (source.oneIn(3) ? source.u32() : source.pick(EDGES))
    try {
      while (!source.done) {
        switch (source.below(8)) {
          case 0:
            pio.write(
              PORT.fwCfg,
              2,
              source.oneIn(8) ? source.u16() : source.pick([0, 1, 5, 0x19, 0x20 + source.below(20)]),
            )
            pio.read(PORT.fwCfg + 1, 1)
            break
          case 1: {
            // struct FWCfgDmaAccess: select a file, read it, write it, pass over some of it.
            const key = 0x20 + source.below(20)
            const access = Buffer.alloc(16)
            access.writeUInt32BE(((key << 16) | source.below(32)) >>> 0, 0)
            access.writeUInt32BE(source.oneIn(4) ? value() : source.below(64), 4)
            access.writeUInt32BE(source.oneIn(8) ? source.u32() : 0, 8)
            access.writeUInt32BE(source.oneIn(8) ? source.u32() : 0x2000 + source.u16(), 12)
            memory.write(DMA_ACCESS, access)
            pio.write(PORT.fwCfg + 8, 4, Buffer.from(Uint32Array.of(DMA_ACCESS).buffer).readUInt32BE(0))
            break
          }
          case 2: {
            const register = source.oneIn(4) ? source.u8() & 0xfc : source.pick(REGISTERS)
            pio.write(PORT.pciConfig, 4, 0x8000_0000 + source.pick(SLOTS) * 0x800 + register)
            pio.write(
              PORT.pciConfig + 4,
              4,
              source.oneIn(2) ? (source.pick(ADDRESSES) + source.below(8)) >>> 0 : value(),
            )
            break
          }
          case 3:
            mmio.write(
              VARIABLES.address + source.below(VARIABLES.bytes),
              source.pick([1, 2, 4]),
              source.pick([0xff, 0x40, 0x20, 0xd0, 0x70, 0x50, 0]),
            )
            break
          case 4:
            mmio.write(
              bar(2) + 0x500 + 2 * source.below(11),
              2,
              source.oneIn(3) ? source.u16() : source.pick([0, 1, 3, 0x41, 32, 640, 480, 0x800]),
            )
            break
          case 5:
            memory.write(0x2000 + source.u16(), source.take(source.below(32)))
            mmio.write((bar(0) + (source.u32() % EARLY_SCREEN.bytes)) >>> 0, 4, value())
            break
          case 6: {
            const [name, part] = [...parts][source.below(parts.size)]!
            const saved = JSON.parse(JSON.stringify(part.save())) as never
            part.restore(saved)
            if (JSON.stringify(part.save()) !== JSON.stringify(saved))
              throw new Error(`a restored ${name} is another one`)
            break
          }
          default:
            screen.look()
            loop.runOnce(0)
        }
      }
    } finally {
      bus.close()
      machine.close()
    }
  },
  close() {
    if (kept === undefined) return
    munmap(kept.pixels, EARLY_SCREEN.bytes)
    kept.variables.free()
    kept = undefined
  },
}
