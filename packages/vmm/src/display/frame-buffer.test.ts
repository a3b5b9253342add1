import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EARLY_SCREEN } from '../machine/layout.ts'
import { munmap } from '../sys/libc.ts'
import { GpuDevice } from '../virtio/gpu/gpu.ts'
import { CMD, RESP } from '../virtio/gpu/protocol.ts'
import { TestMachine } from '../virtio/testing/machine.ts'
import { PciDriver } from '../virtio/testing/pci-driver.ts'
import { allocateFrameBuffer, EarlyScreen, FrameBuffer, type FrameBufferModes } from './frame-buffer.ts'
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

  constructor(machine = new TestMachine(), modes: FrameBufferModes = 'fixed') {
    this.machine = machine
    this.early = new EarlyScreen(this.surface, machine.loop)
    const place = (at: number | undefined): void => {
      this.placed = at
    }
    this.frameBuffer = new FrameBuffer(this.memory, this.early, place, modes)
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

test('UEFI finds the video memory and the registers of a VGA device, sets a mode, and what it draws is shown', () => {
  const screen = new Screen(new TestMachine(), 'vbe')
  const { machine, surface } = screen
  const pci = new PciDriver(machine, screen.gpu, screen.frameBuffer)
  assert.equal(screen.early.shows, false, 'no mode yet')
  const registers = ((pci.pciRead(0x18, 4) & ~15) >>> 0) + 0x500
  const [id, xres, yres, bpp, enable, virtualWidth, xOffset, yOffset, memory64K] = [
    0, 1, 2, 3, 4, 6, 8, 9, 10,
  ]
  const get = (index: number): number => machine.mmio.read(registers + 2 * index, 2)
  const set = (index: number, value: number): void => machine.mmio.write(registers + 2 * index, 2, value)
  assert.equal(get(id!) & 0xfff0, 0xb0c0)
  assert.equal(get(memory64K!) * 65536, bytes)
  set(enable!, 2)
  assert.deepEqual([get(xres!), get(yres!), get(bpp!)], [3840, 2160, 32])

  // As OVMF does it.
  const mode = (width: number, height: number): void => {
    for (const [index, value] of [
      [enable!, 0],
      [xOffset!, 0],
      [yOffset!, 0],
      [bpp!, 32],
      [xres!, width],
      [virtualWidth!, width],
      [yres!, height],
      [enable!, 0x41],
    ] as const)
      set(index, value)
  }
  mode(800, 600)
  assert.deepEqual([surface.width, surface.height], [800, 600])
  const write = (x: number, y: number, pixel: number): void =>
    machine.mmio.write(address + (y * 800 + x) * 4, 4, pixel)
  write(799, 599, 0x123456)
  machine.until('the picture', () => screen.pixel(799, 599) === 0x123456)

  // Elsewhere in a state of its own: the same picture.
  const second = new Screen(machine, 'vbe')
  const moved = pci.moveTo(second.gpu, second.frameBuffer)
  machine.until('the picture', () => second.pixel(799, 599) === 0x123456)
  assert.deepEqual([second.surface.width, second.surface.height], [800, 600])

  // What does not fit the memory, or is no mode, is not shown, and a mode set anew begins black.
  const at = (moved.pciRead(0x18, 4) & ~15) >>> 0
  const setAgain = (index: number, value: number): void =>
    machine.mmio.write(at + 0x500 + 2 * index, 2, value)
  for (const [index, value] of [
    [yres!, 2000],
    [xres!, 0],
    [yOffset!, 60_000],
    [virtualWidth!, 0xffff],
    [bpp!, 24],
    [enable!, 0],
  ] as const) {
    const before = machine.mmio.read(at + 0x500 + 2 * index, 2)
    setAgain(index, value)
    assert.equal(second.early.shows, false, `register ${index} is ${value}`)
    setAgain(index, before)
    assert.equal(second.early.shows, true)
  }
  assert.equal(second.pixel(799, 599), 0)
  // Bytes, halves of two registers, and what is beside them: nothing.
  for (const [offset, size] of [
    [0x500, 1],
    [0x501, 2],
    [0x500, 4],
    [0, 4],
    [0x516, 2],
    [0xffe, 2],
  ] as const) {
    machine.mmio.write(at + offset, size, 0xffff)
    assert.equal(machine.mmio.read(at + offset, size), 0)
  }
  assert.equal(second.early.shows, true)
  moved.bus.close()
  machine.close()
  for (const one of [screen, second]) one.free()
})
