import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EARLY_SCREEN } from '../machine/layout.ts'
import { munmap } from '../sys/libc.ts'
import { GpuDevice } from '../virtio/gpu/gpu.ts'
import { CMD, RESP } from '../virtio/gpu/protocol.ts'
import { TestMachine } from '../virtio/testing/machine.ts'
import { PciDriver } from '../virtio/testing/pci-driver.ts'
import { allocateFrameBuffer, EarlyScreen, FrameBuffer } from './frame-buffer.ts'
import { createSurfaceMemory, SURFACE_STRIDE, Surface } from './surface.ts'

const { width, height, stride, address, bytes } = EARLY_SCREEN

/** A GPU with its frame buffer where the bus puts it. */
class Screen {
  readonly surface = new Surface(createSurfaceMemory())
  readonly machine: TestMachine
  readonly early: EarlyScreen
  readonly frameBuffer: FrameBuffer
  readonly gpu: GpuDevice
  placed: number | undefined
  private readonly memory = allocateFrameBuffer()

  constructor(machine = new TestMachine()) {
    this.machine = machine
    this.early = new EarlyScreen(this.surface, machine.loop)
    this.frameBuffer = new FrameBuffer(this.memory, this.early, (at) => {
      this.placed = at
    })
    this.gpu = new GpuDevice({ surface: this.surface, early: this.early, width, height })
  }

  write(x: number, y: number, pixel: number): void {
    this.machine.mmio.write(address + y * stride + x * 4, 4, pixel)
  }

  pixel(x: number, y: number): number {
    return this.surface.pixels[y * SURFACE_STRIDE + x]!
  }

  free(): void {
    munmap(this.memory, bytes)
  }
}

/** Sends a command to the GPU's control queue; returns the response's type. */
function command(pci: PciDriver, words: readonly number[]): number {
  const { machine } = pci
  machine.memory.write(pci.data, new Uint8Array(Uint32Array.from(words).buffer))
  const answer = pci.data + 0x1000
  const queue = pci.queues[0]!
  queue.add([
    { address: pci.data, length: words.length * 4 },
    { address: answer, length: 64, writable: true },
  ])
  pci.kick(0)
  machine.until('the answer', () => queue.takeUsed().length > 0)
  return machine.memory.readU32(answer)
}

test('what a guest without a driver writes to the frame buffer is shown, until a driver shows something', () => {
  const screen = new Screen()
  const { machine, surface } = screen
  const pci = new PciDriver(machine, screen.gpu, screen.frameBuffer)
  assert.equal(pci.pciRead(8, 4) >>> 8, 0x03_00_00, 'a VGA device')
  assert.equal(pci.pciRead(0x10, 4), address)
  assert.equal(screen.placed, address)
  screen.write(5, 7, 0x123456)
  screen.write(1279, 799, 0xabcdef)
  machine.until('the picture', () => screen.pixel(1279, 799) === 0xabcdef)
  assert.equal(screen.pixel(5, 7), 0x123456)
  assert.equal(machine.mmio.read(address + 7 * stride + 5 * 4, 4), 0x123456)
  // A viewer's wish is for the driver: this picture has the size it has.
  screen.gpu.wish(800, 600)
  assert.deepEqual([surface.width, surface.height], [width, height])

  pci.start(pci.offered())
  const header = (type: number, ...more: number[]) => [type, 0, 0, 0, 0, 0, ...more]
  assert.equal(command(pci, header(CMD.RESOURCE_CREATE_2D, 1, 2, 64, 32)), RESP.OK_NODATA)
  assert.equal(screen.pixel(5, 7), 0x123456, 'a driver that shows nothing yet')
  assert.equal(command(pci, header(CMD.SET_SCANOUT, 0, 0, 64, 32, 0, 1)), RESP.OK_NODATA)
  assert.deepEqual([surface.width, surface.height, screen.pixel(5, 7)], [64, 32, 0])
  screen.write(6, 7, 0x777777)
  assert.equal(screen.early.look(), false)

  // The driver goes: what lies in the frame buffer is there again.
  pci.status = 0
  assert.deepEqual([surface.width, screen.pixel(5, 7), screen.pixel(6, 7)], [width, 0x123456, 0x777777])
  pci.bus.close()
  assert.equal(screen.placed, undefined)
  machine.close()
  screen.free()
})

test('a driver that shows a picture of the size that was wished for before it came has its size', () => {
  const screen = new Screen()
  const { machine, surface } = screen
  // As after a restart, in which the viewers' window is as large as it was.
  screen.gpu.wish(1047, 564)
  const pci = new PciDriver(machine, screen.gpu, screen.frameBuffer)
  assert.deepEqual([surface.width, surface.height], [width, height])
  pci.start(pci.offered())
  const header = (type: number, ...more: number[]) => [type, 0, 0, 0, 0, 0, ...more]
  assert.equal(command(pci, header(CMD.RESOURCE_CREATE_2D, 1, 2, 1047, 564)), RESP.OK_NODATA)
  assert.equal(command(pci, header(CMD.SET_SCANOUT, 0, 0, 1047, 564, 0, 1)), RESP.OK_NODATA)
  assert.deepEqual([surface.width, surface.height], [1047, 564])
  pci.bus.close()
  machine.close()
  screen.free()
})

test('saved and restored before any driver came, the picture is there again', () => {
  const first = new Screen()
  const { machine } = first
  const pci = new PciDriver(machine, first.gpu, first.frameBuffer)
  first.write(100, 100, 0xc0ffee)
  const second = new Screen(machine)
  const moved = pci.moveTo(second.gpu, second.frameBuffer)
  machine.until('the picture', () => second.pixel(100, 100) === 0xc0ffee)
  moved.bus.close()
  machine.close()
  for (const screen of [first, second]) screen.free()
})

test('a machine after a reset finds the frame buffer empty', () => {
  const machine = new TestMachine()
  const surface = new Surface(createSurfaceMemory())
  const memory = allocateFrameBuffer()
  const before = new FrameBuffer(memory, new EarlyScreen(surface, machine.loop), () => {})
  before.write(4096, 4, 0xffffff)
  assert.equal(before.read(4096, 4), 0xffffff)
  const after = new FrameBuffer(memory, new EarlyScreen(surface, machine.loop), () => {})
  assert.equal(after.read(4096, 4), 0)
  machine.close()
  munmap(memory, bytes)
})
