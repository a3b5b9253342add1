import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSurfaceMemory, SURFACE_STRIDE, Surface } from '../../display/surface.ts'
import { VIRTIO_F_VERSION_1 } from '../constants.ts'
import { seeded } from '../testing/driver.ts'
import { TestMachine } from '../testing/machine.ts'
import { PciDriver } from '../testing/pci-driver.ts'
import { createEdid } from './edid.ts'
import { GpuDevice } from './gpu.ts'
import { CMD, RESP, VIRTIO_GPU_F_EDID, VIRTIO_GPU_F_RESOURCE_BLOB } from './protocol.ts'

const MIB = 1024 * 1024
const BGRX = 2

/** A KMS driver by hand: commands as lists of u32, answers as bytes. */
class Driver {
  readonly machine = new TestMachine(64 * MIB)
  surface = new Surface(createSurfaceMemory())
  device: GpuDevice
  pci: PciDriver

  private readonly screens: number | undefined

  constructor(options: { memoryLimit?: number; features?: bigint; screens?: number } = {}) {
    this.screens = options.screens
    this.device = this.another(options.memoryLimit)
    this.pci = new PciDriver(this.machine, this.device)
    this.pci.start(options.features ?? VIRTIO_GPU_F_EDID | VIRTIO_GPU_F_RESOURCE_BLOB | VIRTIO_F_VERSION_1)
  }

  private another(memoryLimit = 16 * MIB): GpuDevice {
    const { surface, screens } = this
    return new GpuDevice({ surface, screens, width: 1024, height: 768, memoryLimit })
  }

  /** Saved, and gone on with in another process: only the guest is the same. */
  move(memoryLimit?: number): void {
    this.surface = new Surface(createSurfaceMemory())
    this.device = this.another(memoryLimit)
    this.pci = this.pci.moveTo(this.device)
  }

  /** Sends a control command; returns the response's bytes. */
  command(type: number, words: readonly number[] = [], header: readonly number[] = []): DataView {
    const request = [type, ...header, ...Array(5 - header.length).fill(0), ...words]
    return this.send(0, Uint8Array.from(new Uint8Array(Uint32Array.from(request).buffer)))
  }

  send(queueIndex: number, request: Uint8Array, room = 2048): DataView {
    const { memory } = this.machine
    const at = this.pci.data
    const answerAt = at + 0x80_000
    memory.write(at, request)
    memory.fill(answerAt, 2048, 0xee)
    const queue = this.pci.queues[queueIndex]!
    const parts = [{ address: at, length: request.length }]
    queue.add(room === 0 ? parts : [...parts, { address: answerAt, length: room, writable: true }])
    this.pci.kick(queueIndex)
    let length = -1
    this.machine.until('the answer', () => {
      const used = queue.takeUsed()
      if (used.length > 0) length = used[0]!.length
      return length >= 0
    })
    return new DataView(memory.bytes(answerAt, length).slice().buffer)
  }

  type(type: number, words: readonly number[] = []): number {
    return this.command(type, words).getUint32(0, true)
  }

  cursor(type: number, words: readonly number[]): void {
    this.send(1, new Uint8Array(Uint32Array.from([type, 0, 0, 0, 0, 0, ...words]).buffer), 0)
  }

  /** Creates a resource with pages at `address`, in `pieces` entries. */
  create(id: number, width: number, height: number, address: number, pieces = 1, format = BGRX): void {
    assert.equal(this.type(CMD.RESOURCE_CREATE_2D, [id, format, width, height]), RESP.OK_NODATA)
    const bytes = Math.ceil((width * height * 4) / pieces / 4) * 4
    const entries = Array.from({ length: pieces }, (_, i) => [address + i * bytes, 0, bytes, 0]).flat()
    assert.equal(this.type(CMD.RESOURCE_ATTACH_BACKING, [id, pieces, ...entries]), RESP.OK_NODATA)
  }

  /** Draws into guest pages. */
  paint(address: number, pixels: Uint32Array): void {
    this.machine.memory.write(address, new Uint8Array(pixels.buffer))
  }

  shown(x: number, y: number, width: number, height: number): number[] {
    const result: number[] = []
    for (let row = y; row < y + height; row++) {
      result.push(...this.surface.pixels.slice(row * SURFACE_STRIDE + x, row * SURFACE_STRIDE + x + width))
    }
    return result
  }

  damaged(): number {
    const bits = new Uint32Array(135 * 8)
    this.surface.takeDamage(bits)
    return bits.reduce((sum, word) => sum + word.toString(2).replaceAll('0', '').length, 0)
  }

  close(): void {
    this.pci.bus.close()
    this.machine.close()
  }
}

const gradient = (width: number, height: number): Uint32Array =>
  Uint32Array.from({ length: width * height }, (_, i) => (0x5a_0000_00 + i * 0x010305) >>> 0)

test('display info answers sixteen scanouts, the EDID prefers the first one’s size', () => {
  const driver = new Driver()
  assert.equal(driver.pci.configRead(8, 4), 1, 'num_scanouts')
  const info = driver.command(CMD.GET_DISPLAY_INFO)
  assert.equal(info.byteLength, 408)
  assert.equal(info.getUint32(0, true), RESP.OK_DISPLAY_INFO)
  const rects = Array.from({ length: 16 }, (_, i) =>
    [8, 12, 16].map((o) => info.getUint32(24 + i * 24 + o, true)),
  )
  assert.deepEqual(rects[0], [1024, 768, 1])
  assert.ok(rects.slice(1).every((r) => r.every((v) => v === 0)))
  const edid = driver.command(CMD.GET_EDID, [0, 0])
  assert.equal(edid.byteLength, 24 + 8 + 1024)
  assert.equal(edid.getUint32(24, true), 256)
  assert.deepEqual(new Uint8Array(edid.buffer, 32, 256), createEdid(1024, 768, 1))
  assert.equal(driver.type(CMD.GET_EDID, [1, 0]), RESP.ERR_INVALID_SCANOUT_ID)
  driver.close()
})

test('EDID: checksums, the preferred mode, for all sizes a viewer may wish', () => {
  for (const [width, height] of [
    [320, 200],
    [1231, 767],
    [1920, 1080],
    [3840, 2160],
  ] as const) {
    const edid = createEdid(width, height, 7)
    for (const block of [0, 128]) {
      assert.equal(edid.subarray(block, block + 128).reduce((a, b) => a + b) & 255, 0)
    }
    const d = edid.subarray(54, 72)
    assert.equal(d[2]! | ((d[4]! >> 4) << 8), width)
    assert.equal(d[5]! | ((d[7]! >> 4) << 8), height)
    const hTotal = width + (d[3]! | ((d[4]! & 15) << 8))
    const vTotal = height + (d[6]! | ((d[7]! & 15) << 8))
    const refresh = ((d[0]! | (d[1]! << 8)) * 10_000) / hTotal / vTotal
    assert.ok(Math.abs(refresh - 60) < 0.5, `${refresh} Hz`)
  }
})

test('transfer, scanout, flush: the rectangle is shown and damaged, nothing else', () => {
  const driver = new Driver()
  const pages = 0x100_0000
  // Pieces that end in the middle of a row, and a region of RAM that ends among them.
  driver.create(5, 100, 60, pages, 7)
  const picture = gradient(100, 60)
  driver.paint(pages, picture)
  assert.equal(driver.type(CMD.SET_SCANOUT, [0, 0, 100, 60, 0, 5]), RESP.OK_NODATA)
  assert.deepEqual([driver.surface.width, driver.surface.height], [100, 60])
  assert.ok(
    driver.shown(0, 0, 100, 60).every((p) => p === 0),
    'before the transfer there is nothing to see',
  )
  driver.damaged()
  // A part: offset is where its first pixel lies.
  const offset = (10 * 100 + 20) * 4
  assert.equal(driver.type(CMD.TRANSFER_TO_HOST_2D, [20, 10, 30, 20, offset, 0, 5, 0]), RESP.OK_NODATA)
  assert.equal(driver.damaged(), 0)
  assert.equal(driver.type(CMD.RESOURCE_FLUSH, [20, 10, 30, 20, 5, 0]), RESP.OK_NODATA)
  const expected = [...Array(20).keys()].flatMap((y) => [
    ...picture.subarray((10 + y) * 100 + 20, (10 + y) * 100 + 50),
  ])
  assert.deepEqual(driver.shown(20, 10, 30, 20), expected)
  assert.equal(driver.damaged(), 3 * 2)
  assert.equal(driver.shown(50, 10, 1, 1)[0], 0)
  driver.close()
})

test('a scanout of a part of a resource; another resource is shown at once; resource 0 is black', () => {
  const driver = new Driver()
  driver.create(1, 64, 64, 0x100_0000)
  driver.create(2, 32, 32, 0x200_0000)
  const [one, two] = [gradient(64, 64), new Uint32Array(32 * 32).fill(0xabcdef)]
  driver.paint(0x100_0000, one)
  driver.paint(0x200_0000, two)
  driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 64, 64, 0, 0, 1, 0])
  driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 32, 32, 0, 0, 2, 0])
  driver.type(CMD.SET_SCANOUT, [16, 8, 32, 32, 0, 1])
  assert.deepEqual(driver.shown(0, 0, 3, 1), [...one.subarray(8 * 64 + 16, 8 * 64 + 19)])
  driver.type(CMD.SET_SCANOUT, [0, 0, 32, 32, 0, 2])
  assert.ok(driver.shown(0, 0, 32, 32).every((p) => p === 0xabcdef))
  driver.type(CMD.RESOURCE_FLUSH, [0, 0, 64, 64, 1, 0])
  assert.equal(driver.shown(0, 0, 1, 1)[0], 0xabcdef, 'a resource that is not shown')
  driver.damaged()
  assert.equal(driver.type(CMD.SET_SCANOUT, [0, 0, 0, 0, 0, 0]), RESP.OK_NODATA)
  assert.ok(driver.shown(0, 0, 32, 32).every((p) => p === 0))
  assert.deepEqual([driver.surface.width, driver.damaged()], [32, 4])
  driver.type(CMD.SET_SCANOUT, [0, 0, 32, 32, 0, 2])
  driver.type(CMD.RESOURCE_UNREF, [2, 0])
  assert.ok(
    driver.shown(0, 0, 32, 32).every((p) => p === 0),
    'a resource that went away',
  )
  driver.close()
})

test('all eight formats show the same colours', () => {
  const bytes: Record<number, number[]> = {
    1: [3, 2, 1, 9],
    2: [3, 2, 1, 9],
    3: [9, 1, 2, 3],
    4: [9, 1, 2, 3],
    67: [1, 2, 3, 9],
    68: [9, 3, 2, 1],
    121: [9, 3, 2, 1],
    134: [1, 2, 3, 9],
  }
  const driver = new Driver()
  for (const [format, pixel] of Object.entries(bytes)) {
    const id = Number(format) + 1
    driver.create(id, 16, 16, 0x100_0000, 1, Number(format))
    driver.machine.memory.write(0x100_0000, Uint8Array.from(Array(256).fill(pixel).flat()))
    driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 16, 16, 0, 0, id, 0])
    driver.type(CMD.SET_SCANOUT, [0, 0, 16, 16, 0, id])
    driver.type(CMD.RESOURCE_FLUSH, [0, 0, 16, 16, id, 0])
    assert.ok(
      driver.shown(0, 0, 16, 16).every((p) => (p & 0xffffff) === 0x010203),
      `format ${format}`,
    )
  }
  assert.equal(driver.type(CMD.RESOURCE_CREATE_2D, [99, 5, 4, 4]), RESP.ERR_INVALID_PARAMETER)
  driver.close()
})

test('blobs are shown straight from the guest’s pages', () => {
  const driver = new Driver()
  const size = 80 * 50 * 4
  const half = size / 2
  const entries = [0x100_0000, 0, half, 0, 0x300_0000, 0, half, 0]
  assert.equal(driver.type(CMD.RESOURCE_CREATE_BLOB, [3, 1, 2, 2, 0, 0, size, 0, ...entries]), RESP.OK_NODATA)
  const picture = gradient(80, 50)
  driver.paint(0x100_0000, picture.slice(0, half / 4))
  driver.paint(0x300_0000, picture.slice(half / 4))
  const scanout = (stride: number, offset: number): number =>
    driver.type(CMD.SET_SCANOUT_BLOB, [0, 0, 80, 50, 0, 3, 80, 50, BGRX, 0, stride, 0, 0, 0, offset, 0, 0, 0])
  assert.equal(scanout(320, 4), RESP.ERR_INVALID_PARAMETER, 'beyond its end')
  assert.equal(scanout(316, 0), RESP.ERR_INVALID_PARAMETER, 'rows that overlap')
  assert.equal(scanout(320, 0), RESP.OK_NODATA)
  assert.deepEqual(driver.shown(0, 0, 80, 50), [...picture])
  assert.equal(
    driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 80, 50, 0, 0, 3, 0]),
    RESP.OK_NODATA,
    'nothing to do',
  )
  driver.machine.memory.writeU32(0x100_0000, 0x77)
  assert.notEqual(driver.shown(0, 0, 1, 1)[0], 0x77)
  driver.type(CMD.RESOURCE_FLUSH, [0, 0, 1, 1, 3, 0])
  assert.equal(driver.shown(0, 0, 1, 1)[0], 0x77)
  // The pages may be taken away while it is shown.
  assert.equal(driver.type(CMD.RESOURCE_DETACH_BACKING, [3, 0]), RESP.OK_NODATA)
  assert.equal(driver.type(CMD.RESOURCE_FLUSH, [0, 0, 80, 50, 3, 0]), RESP.OK_NODATA)
  assert.equal(driver.shown(0, 0, 1, 1)[0], 0x77)
  driver.close()
})

test('blobs need the feature', () => {
  const driver = new Driver({ features: VIRTIO_GPU_F_EDID | VIRTIO_F_VERSION_1 })
  assert.equal(driver.type(CMD.RESOURCE_CREATE_BLOB, [3, 1, 0, 0, 0, 0, 16, 0]), RESP.ERR_UNSPEC)
  driver.close()
})

test('a fence comes back with its id and context', () => {
  const driver = new Driver()
  const answer = driver.command(CMD.RESOURCE_UNREF, [77, 0], [1, 0x11223344, 0x55667788, 9])
  assert.deepEqual(
    [0, 4, 8, 12, 16].map((at) => answer.getUint32(at, true)),
    [RESP.ERR_INVALID_RESOURCE_ID, 1, 0x11223344, 0x55667788, 9],
  )
  assert.equal(
    driver.command(CMD.GET_DISPLAY_INFO, [], [0, 5, 5, 5]).getUint32(8, true),
    0,
    'no flag, no fence',
  )
  driver.close()
})

test('what a driver may not ask is refused by name and changes nothing', () => {
  const driver = new Driver()
  driver.create(1, 64, 64, 0x100_0000)
  const {
    ERR_INVALID_PARAMETER,
    ERR_INVALID_RESOURCE_ID,
    ERR_INVALID_SCANOUT_ID,
    ERR_OUT_OF_MEMORY,
    ERR_UNSPEC,
  } = RESP
  const cases: [number, number[], number][] = [
    [CMD.RESOURCE_CREATE_2D, [0, BGRX, 4, 4], ERR_INVALID_RESOURCE_ID],
    [CMD.RESOURCE_CREATE_2D, [1, BGRX, 4, 4], ERR_INVALID_RESOURCE_ID],
    [CMD.RESOURCE_CREATE_2D, [2, BGRX, 0, 4], ERR_INVALID_PARAMETER],
    [CMD.RESOURCE_CREATE_2D, [2, BGRX, 0xffffffff, 0xffffffff], ERR_INVALID_PARAMETER],
    [CMD.RESOURCE_CREATE_2D, [2, BGRX, 4096, 4096], ERR_OUT_OF_MEMORY],
    [CMD.RESOURCE_UNREF, [9, 0], ERR_INVALID_RESOURCE_ID],
    [CMD.RESOURCE_ATTACH_BACKING, [9, 1, 0x1000, 0, 4096, 0], ERR_INVALID_RESOURCE_ID],
    [CMD.RESOURCE_ATTACH_BACKING, [1, 1, 0x1000, 0, 4096, 0], ERR_UNSPEC],
    [CMD.RESOURCE_DETACH_BACKING, [9, 0], ERR_INVALID_RESOURCE_ID],
    [CMD.TRANSFER_TO_HOST_2D, [0, 0, 64, 64, 0, 0, 9, 0], ERR_INVALID_RESOURCE_ID],
    [CMD.TRANSFER_TO_HOST_2D, [1, 0, 64, 64, 0, 0, 1, 0], ERR_INVALID_PARAMETER],
    [CMD.TRANSFER_TO_HOST_2D, [0, 0, 0, 64, 0, 0, 1, 0], ERR_INVALID_PARAMETER],
    [CMD.TRANSFER_TO_HOST_2D, [0xffffffff, 0, 2, 1, 0, 0, 1, 0], ERR_INVALID_PARAMETER],
    [CMD.TRANSFER_TO_HOST_2D, [0, 0, 64, 64, 4, 0, 1, 0], ERR_INVALID_PARAMETER],
    [CMD.TRANSFER_TO_HOST_2D, [0, 0, 1, 1, 0, 0xffffffff, 1, 0], ERR_INVALID_PARAMETER],
    [CMD.SET_SCANOUT, [0, 0, 64, 64, 1, 1], ERR_INVALID_SCANOUT_ID],
    [CMD.SET_SCANOUT, [0, 0, 64, 64, 0, 9], ERR_INVALID_RESOURCE_ID],
    [CMD.SET_SCANOUT, [0, 0, 65, 64, 0, 1], ERR_INVALID_PARAMETER],
    [CMD.SET_SCANOUT, [0, 0, 0, 0, 0, 1], ERR_INVALID_PARAMETER],
    [CMD.RESOURCE_FLUSH, [0, 0, 64, 65, 1, 0], ERR_INVALID_PARAMETER],
    [CMD.RESOURCE_FLUSH, [0, 0, 64, 64, 9, 0], ERR_INVALID_RESOURCE_ID],
    [CMD.UPDATE_CURSOR, [0, 0, 0, 0, 0, 0, 0, 0], ERR_UNSPEC],
    [0x0108, [0, 0], ERR_UNSPEC],
    [0, [], ERR_UNSPEC],
  ]
  for (const [type, words, expected] of cases) {
    assert.equal(
      driver.type(type, words).toString(16),
      expected.toString(16),
      `${type.toString(16)} ${words}`,
    )
  }
  assert.equal(driver.device.counters.refused, cases.length)
  // Pages that are no RAM, a list that is longer than the request, none at all.
  assert.equal(driver.type(CMD.RESOURCE_DETACH_BACKING, [1, 0]), RESP.OK_NODATA)
  for (const words of [
    [1, 1, 64 * MIB - 2048, 0, 4096, 0],
    [1, 1, 0xfffff000, 0xffffffff, 4096, 0],
    [1, 1, 0x1000, 0, 0, 0],
    [1, 2, 0x1000, 0, 4096, 0],
    [1, 0xffffffff, 0x1000, 0, 4096, 0],
    [1, 0],
  ]) {
    assert.equal(driver.type(CMD.RESOURCE_ATTACH_BACKING, words), ERR_INVALID_PARAMETER, `${words}`)
  }
  assert.equal(
    driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 64, 64, 0, 0, 1, 0]),
    ERR_INVALID_PARAMETER,
    'no pages',
  )
  // Requests cut short, down to nothing that could be called one.
  for (const bytes of [1, 23, 24, 39]) {
    const request = new Uint8Array(bytes)
    request.set([CMD.RESOURCE_CREATE_2D & 255, CMD.RESOURCE_CREATE_2D >> 8].slice(0, bytes))
    assert.ok(driver.send(0, request).getUint32(0, true) >= ERR_UNSPEC, `${bytes} bytes`)
  }
  // No room for the answer: nothing is written past it.
  assert.equal(driver.send(0, Uint8Array.from([0, 1, ...Array(22).fill(0)]), 10).byteLength, 10)
  assert.equal(driver.pci.status & 64, 0, 'the device is well')
  assert.equal(driver.type(CMD.GET_DISPLAY_INFO), RESP.OK_DISPLAY_INFO)
  driver.close()
})

test('memory of resources is bounded, and given back', () => {
  const driver = new Driver({ memoryLimit: 2 * MIB })
  for (let round = 0; round < 20; round++) {
    assert.equal(driver.type(CMD.RESOURCE_CREATE_2D, [1, BGRX, 512, 512]), RESP.OK_NODATA)
    assert.equal(driver.type(CMD.RESOURCE_CREATE_2D, [2, BGRX, 512, 512]), RESP.OK_NODATA)
    assert.equal(driver.type(CMD.RESOURCE_CREATE_2D, [3, BGRX, 1, 1]), RESP.ERR_OUT_OF_MEMORY)
    for (const id of [1, 2]) assert.equal(driver.type(CMD.RESOURCE_UNREF, [id, 0]), RESP.OK_NODATA)
  }
  driver.close()
})

test('lists of pages are bounded together, and given back', () => {
  const driver = new Driver()
  const entries = Array.from({ length: 16384 }, (_, i) => [0x100_0000 + i * 16, 0, 16, 0]).flat()
  let created = 0
  const create = (id: number): number =>
    driver.type(CMD.RESOURCE_CREATE_BLOB, [id, 1, 0, 16384, 0, 0, 4096, 0, ...entries])
  while (create(created + 1) === RESP.OK_NODATA) created++
  assert.equal(created, 16)
  assert.equal(create(99), RESP.ERR_OUT_OF_MEMORY)
  driver.type(CMD.RESOURCE_DETACH_BACKING, [1, 0])
  driver.type(CMD.RESOURCE_UNREF, [2, 0])
  assert.equal(create(99), RESP.OK_NODATA)
  assert.equal(create(98), RESP.OK_NODATA)
  assert.equal(create(97), RESP.ERR_OUT_OF_MEMORY)
  driver.close()
})

test('commands beyond a turn are served in the next, in order', () => {
  const driver = new Driver({ memoryLimit: 64 * MIB })
  driver.create(1, 2048, 2048, 0x100_0000)
  const { memory } = driver.machine
  const request = Uint32Array.from([CMD.TRANSFER_TO_HOST_2D, 0, 0, 0, 0, 0, 0, 0, 2048, 2048, 0, 0, 1, 0])
  memory.write(driver.pci.data, new Uint8Array(request.buffer))
  const queue = driver.pci.queues[0]!
  for (let i = 0; i < 20; i++) {
    queue.add([
      { address: driver.pci.data, length: 56 },
      { address: driver.pci.data + 0x1000 + i * 32, length: 24, writable: true },
    ])
  }
  driver.pci.kick(0)
  const before = queue.usedIndex
  driver.machine.loop.runOnce(1000)
  assert.ok(queue.usedIndex - before < 20, 'others on the thread had their turn')
  driver.machine.until('all of them', () => queue.usedIndex - before === 20)
  for (let i = 0; i < 20; i++) assert.equal(memory.readU32(driver.pci.data + 0x1000 + i * 32), RESP.OK_NODATA)
  driver.close()
})

test('cursor: image, hot spot, place, hidden', () => {
  const driver = new Driver()
  const image = new Uint32Array(64 * 64).fill(0xff112233)
  driver.create(9, 64, 64, 0x100_0000, 1, 1)
  driver.paint(0x100_0000, image)
  driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 64, 64, 0, 0, 9, 0])
  driver.cursor(CMD.UPDATE_CURSOR, [0, 100, 50, 0, 9, 3, 4, 0])
  assert.deepEqual(driver.surface.cursorImage(), image)
  const { visible, x, y, hotX, hotY } = driver.surface.cursor()
  assert.deepEqual({ visible, x, y, hotX, hotY }, { visible: true, x: 103, y: 54, hotX: 3, hotY: 4 })
  driver.cursor(CMD.MOVE_CURSOR, [0, 0xfffffffe, 60, 0, 0, 3, 4, 0])
  assert.deepEqual([driver.surface.cursor().x, driver.surface.cursor().y], [1, 64], 'left of the picture')
  driver.cursor(CMD.UPDATE_CURSOR, [0, 0, 0, 0, 0, 0, 0, 0])
  assert.equal(driver.surface.cursor().visible, false)
  // Linux makes cursors of blobs where there are blobs.
  const entry = [0x100_0000, 0, 16384, 0]
  assert.equal(driver.type(CMD.RESOURCE_CREATE_BLOB, [10, 1, 2, 1, 0, 0, 16384, 0, ...entry]), RESP.OK_NODATA)
  driver.cursor(CMD.UPDATE_CURSOR, [0, 0, 0, 0, 10, 0, 0, 0])
  assert.equal(driver.surface.cursor().visible, true)
  assert.deepEqual(driver.surface.cursorImage(), image)
  driver.type(CMD.RESOURCE_DETACH_BACKING, [10, 0])
  driver.cursor(CMD.UPDATE_CURSOR, [0, 0, 0, 0, 0, 0, 0, 0])
  // Not 64 × 64, no pages, not there, no such scanout, no such command: refused without a word.
  driver.create(8, 32, 64, 0x100_0000)
  for (const words of [
    [0, 0, 0, 0, 8, 0, 0, 0],
    [0, 0, 0, 0, 10, 0, 0, 0],
    [0, 0, 0, 0, 7, 0, 0, 0],
    [4, 0, 0, 0, 9, 0, 0, 0],
  ]) {
    driver.cursor(CMD.UPDATE_CURSOR, words)
  }
  driver.cursor(CMD.GET_DISPLAY_INFO, [])
  assert.equal(driver.device.counters.refused, 5)
  assert.equal(driver.surface.cursor().visible, false)
  driver.close()
})

test('a wish becomes an event, a new size in display info and EDID', () => {
  const driver = new Driver()
  const before = driver.machine.vectors[0]!.fired
  driver.device.wish(1280, 720)
  assert.equal(driver.machine.vectors[0]!.fired, before + 1, 'configuration change interrupt')
  assert.equal(driver.pci.configRead(0, 4), 1, 'events_read: DISPLAY')
  driver.machine.mmio.write(driver.pci.structure(4).address + 4, 4, 1)
  assert.equal(driver.pci.configRead(0, 4), 0, 'events_clear')
  const info = driver.command(CMD.GET_DISPLAY_INFO)
  assert.deepEqual([info.getUint32(32, true), info.getUint32(36, true)], [1280, 720])
  driver.device.wish(1280, 720)
  assert.equal(driver.pci.configRead(0, 4), 0, 'the same wish again is none')
  driver.device.wish(100_000, 1)
  const clamped = driver.command(CMD.GET_DISPLAY_INFO)
  assert.deepEqual([clamped.getUint32(32, true), clamped.getUint32(36, true)], [3840, 200])
  driver.close()
})

test('four scanouts lie side by side on one picture, as many as show something', () => {
  assert.throws(() => new Driver({ screens: 5 }), /5 screens/)
  const driver = new Driver({ screens: 4 })
  const { surface } = driver
  const size = (): number[] => [surface.width, surface.height]
  const pixel = (x: number, y: number): number => surface.pixels[y * SURFACE_STRIDE + x]!
  assert.equal(driver.pci.configRead(8, 4), 4, 'num_scanouts')
  assert.deepEqual(size(), [960, 768], 'one, until the guest shows more')
  const info = driver.command(CMD.GET_DISPLAY_INFO)
  const told = Array.from({ length: 5 }, (_, i) =>
    [0, 8, 12, 16].map((at) => info.getUint32(24 + i * 24 + at, true)),
  )
  assert.deepEqual(told, [...[0, 1, 2, 3].map((i) => [i * 960, 960, 768, 1]), [0, 0, 0, 0]])
  assert.equal(driver.type(CMD.GET_EDID, [3, 0]), RESP.OK_EDID)

  /** A resource of one colour, on a scanout. */
  const show = (scanout: number, width: number, height: number, colour: number): void => {
    const id = 20 + scanout
    const at = 0x100_0000 + scanout * 0x40_0000
    driver.create(id, width, height, at)
    driver.paint(at, new Uint32Array(width * height).fill(colour))
    driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, width, height, 0, 0, id, 0])
    assert.equal(driver.type(CMD.SET_SCANOUT, [0, 0, width, height, scanout, id]), RESP.OK_NODATA)
    driver.type(CMD.RESOURCE_FLUSH, [0, 0, width, height, id, 0])
  }
  show(0, 320, 200, 0x0000ff)
  show(2, 400, 300, 0x00ff00)
  assert.deepEqual(size(), [720, 300], 'the second one shows nothing')
  assert.deepEqual([pixel(319, 199), pixel(320, 0), pixel(719, 299), pixel(0, 250)], [255, 0xff00, 0xff00, 0])
  show(1, 100, 100, 0xff0000)
  assert.deepEqual(size(), [820, 300])
  // What was shown elsewhere moved, and is drawn again without the guest.
  assert.deepEqual(
    [pixel(320, 99), pixel(320, 100), pixel(420, 0), pixel(819, 299)],
    [0xff0000, 0, 0xff00, 0xff00],
  )

  // One pointer: it is where the last one showed it, and hiding it on the screen that it left hides nothing.
  driver.create(9, 64, 64, 0x300_0000, 1, 1)
  driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 64, 64, 0, 0, 9, 0])
  driver.cursor(CMD.UPDATE_CURSOR, [0, 10, 20, 0, 9, 0, 0, 0])
  driver.cursor(CMD.UPDATE_CURSOR, [2, 30, 40, 0, 9, 0, 0, 0])
  driver.cursor(CMD.UPDATE_CURSOR, [0, 0, 0, 0, 0, 0, 0, 0])
  driver.cursor(CMD.MOVE_CURSOR, [0, 1, 1, 0, 0, 0, 0, 0])
  const { visible, x, y } = surface.cursor()
  assert.deepEqual([visible, x, y], [true, 450, 40])

  // Elsewhere with the same screens.
  driver.move()
  const moved = driver.surface
  assert.deepEqual([moved.width, moved.height], [820, 300])
  const at = (px: number, py: number): number => moved.pixels[py * SURFACE_STRIDE + px]!
  assert.deepEqual([at(0, 0), at(320, 0), at(420, 0), at(819, 299)], [255, 0xff0000, 0xff00, 0xff00])
  assert.deepEqual([moved.cursor().visible, moved.cursor().x], [true, 450])

  // Beyond the widest picture nothing is drawn, and nothing of it comes out elsewhere.
  show(3, 3700, 2, 0xffffff)
  assert.deepEqual([moved.width, at(3839, 1), at(0, 2), at(0, 1)], [3840, 0xffffff, 255, 255])
  driver.type(CMD.SET_SCANOUT, [0, 0, 0, 0, 3, 0])
  assert.deepEqual([moved.width, at(819, 299)], [820, 0xff00])
  // A wish is shared out.
  driver.device.wish(1600, 900)
  const wished = driver.command(CMD.GET_DISPLAY_INFO)
  assert.deepEqual([wished.getUint32(32, true), wished.getUint32(24 + 3 * 24 + 8, true)], [400, 400])
  driver.close()
})

test('a reset forgets resources and shows black', () => {
  const driver = new Driver()
  driver.create(1, 64, 64, 0x100_0000)
  driver.paint(0x100_0000, new Uint32Array(64 * 64).fill(0xffffff))
  driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 64, 64, 0, 0, 1, 0])
  driver.type(CMD.SET_SCANOUT, [0, 0, 64, 64, 0, 1])
  assert.equal(driver.shown(5, 5, 1, 1)[0], 0xffffff)
  driver.pci.status = 0
  assert.equal(driver.shown(5, 5, 1, 1)[0], 0)
  driver.pci.start(0n)
  assert.equal(driver.type(CMD.RESOURCE_FLUSH, [0, 0, 64, 64, 1, 0]), RESP.ERR_INVALID_RESOURCE_ID)
  driver.close()
})

test('fuzz: random commands with half-sensible fields never break the device', () => {
  const driver = new Driver({ memoryLimit: 4 * MIB })
  const random = seeded(0x6b0)
  const types = Object.values(CMD)
  const value = (): number =>
    [random(4), random(70), random(2000), 0x100_0000 + random(0x100_0000), random(2 ** 32)][random(5)]!
  for (let i = 0; i < 6000; i++) {
    const words = Array.from({ length: random(30) }, value)
    const type = types[random(types.length)]!
    if (random(12) === 0) driver.cursor(type, words)
    else driver.command(type, words, [random(2), value(), value(), value()])
  }
  assert.equal(driver.pci.status & 64, 0)
  assert.ok(driver.device.counters.refused > 1000)
  assert.ok(driver.device.counters.refused < driver.device.counters.commands)
  assert.equal(driver.type(CMD.GET_DISPLAY_INFO), RESP.OK_DISPLAY_INFO)
  driver.close()
})

test('saved and restored: pictures, screen, cursor and wish are there, and the driver goes on', () => {
  const driver = new Driver()
  const pages = 0x100_0000
  driver.create(5, 100, 60, pages, 7)
  driver.paint(pages, gradient(100, 60))
  driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 100, 60, 0, 0, 5, 0])
  driver.type(CMD.SET_SCANOUT, [10, 4, 80, 50, 0, 5])
  driver.type(CMD.RESOURCE_FLUSH, [0, 0, 100, 60, 5, 0])
  driver.create(6, 64, 64, 0x180_0000, 1, 1)
  driver.paint(0x180_0000, gradient(64, 64))
  driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 64, 64, 0, 0, 6, 0])
  driver.cursor(CMD.UPDATE_CURSOR, [0, 30, 20, 0, 6, 2, 3, 0])
  driver.device.wish(1600, 900)
  const before = driver.shown(0, 0, 80, 50)
  const cursor = driver.surface.cursorImage()
  // The guest draws on and has not transferred it yet: that is not on the screen.
  driver.paint(pages, new Uint32Array(6000).fill(0x123456))

  driver.move()
  assert.deepEqual([driver.surface.width, driver.surface.height], [80, 50])
  assert.deepEqual(driver.shown(0, 0, 80, 50), before)
  const { visible, x, y, hotX, hotY } = driver.surface.cursor()
  assert.deepEqual([visible, x, y, hotX, hotY], [true, 32, 23, 2, 3])
  assert.deepEqual(driver.surface.cursorImage(), cursor)
  assert.equal(driver.pci.configRead(0, 4), 1, 'the guest has yet to hear of the wish')
  assert.equal(driver.command(CMD.GET_DISPLAY_INFO).getUint32(24 + 8, true), 1600)
  // Resources, their pages and their numbers are those of before.
  assert.equal(driver.type(CMD.RESOURCE_CREATE_2D, [5, BGRX, 8, 8]), RESP.ERR_INVALID_RESOURCE_ID)
  assert.equal(driver.type(CMD.TRANSFER_TO_HOST_2D, [0, 0, 100, 60, 0, 0, 5, 0]), RESP.OK_NODATA)
  assert.equal(driver.type(CMD.RESOURCE_FLUSH, [0, 0, 100, 60, 5, 0]), RESP.OK_NODATA)
  assert.deepEqual(new Set(driver.shown(0, 0, 80, 50)), new Set([0x123456]))
  driver.close()
})

test('saved and restored: a blob is shown from the guest’s own pages', () => {
  const driver = new Driver()
  const pages = 0x100_0000
  const size = 64 * 32 * 4
  driver.type(CMD.RESOURCE_CREATE_BLOB, [...[9, 1, 0, 1, 0, 0, size, 0], ...[pages, 0, size, 0]])
  driver.type(CMD.SET_SCANOUT_BLOB, [...[0, 0, 64, 32, 0, 9, 64, 32, BGRX, 0, 256, 0, 0, 0, 0, 0, 0, 0]])
  driver.paint(pages, gradient(64, 32))
  driver.move()
  assert.deepEqual(driver.shown(0, 0, 64, 32), [...gradient(64, 32)])
  driver.close()
})

test('what is restored keeps the rules: a picture too many, pages that are no RAM', () => {
  const driver = new Driver()
  driver.create(1, 100, 60, 0x100_0000)
  driver.move(1000)
  assert.match(
    driver.pci.messages.join(),
    /picture 1 is none this device can have; the device waits for a reset/,
  )
  driver.close()

  const other = new Driver()
  const state = other.device.save()
  const resources = [{ kind: 'blob', id: 1, size: 4096, backing: [[2 ** 40, 4096]] }] as const
  assert.throws(
    () => other.device.restore({ ...state, resources: structuredClone(resources) as never }),
    /outside RAM/,
  )
  other.close()
})
