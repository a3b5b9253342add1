import assert from 'node:assert/strict'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { createSurfaceMemory, SURFACE_STRIDE, Surface } from '../../../packages/vmm/src/display/surface.ts'
import { createJpegEncoder } from '../../../packages/vmm/src/rfb/encodings/jpeg.ts'
import { RfbServer } from '../../../packages/vmm/src/rfb/server.ts'
import { type DisplayFigure, displayTable, reachedGoals } from './report.ts'
import { RfbMeter } from './rfb-meter.ts'
import { HEIGHT, scenes, WIDTH } from './scenes.ts'

test('each scene paints the same every time, and nothing outside what it says', () => {
  for (const make of scenes) {
    const [one, other] = [make(), make()]
    const [pixels, again] = [new Uint32Array(WIDTH * HEIGHT), new Uint32Array(WIDTH * HEIGHT)]
    one.begin(pixels)
    other.begin(again)
    for (const index of [1, 2]) {
      const before = pixels.slice()
      const rects = one.paint(pixels, index)
      other.paint(again, index)
      assert.deepEqual(Buffer.compare(Buffer.from(pixels.buffer), Buffer.from(again.buffer)), 0, one.name)
      for (const { x, y, width, height } of rects)
        for (let row = y; row < y + height; row++) {
          const at = row * WIDTH + x
          before.set(pixels.subarray(at, at + width), at)
        }
      assert.equal(Buffer.compare(Buffer.from(before.buffer), Buffer.from(pixels.buffer)), 0, one.name)
    }
  }
})

test('the meter finds the end of every update, with and without JPEG', async () => {
  for (const quality of [null, 7]) {
    const surface = new Surface(createSurfaceMemory())
    surface.resize(WIDTH, HEIGHT)
    const server = new RfbServer({
      surface,
      name: 'meter',
      input: { key() {}, keysym() {}, pointer() {}, wheel() {} },
      jpeg: createJpegEncoder,
    })
    const listener = createServer((socket) => void server.attach(socket, { id: 'meter' }))
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1')
    const meter = new RfbMeter(socket, quality)
    for (const make of [scenes[1]!, scenes[2]!]) {
      const scene = make()
      const pixels = new Uint32Array(WIDTH * HEIGHT)
      scene.begin(pixels)
      for (let index = 0; index < 3; index++) {
        if (index > 0) scene.paint(pixels, index)
        for (let row = 0; row < HEIGHT; row++)
          surface.pixels.set(pixels.subarray(row * WIDTH, (row + 1) * WIDTH), row * SURFACE_STRIDE)
        const { updates } = meter.counts
        surface.damage(0, 0, WIDTH, HEIGHT)
        await meter.until(() => meter.counts.updates > updates)
      }
    }
    assert.deepEqual([...server.faults], [])
    assert.ok(meter.counts.bytes > 100_000)
    server.close()
    socket.destroy()
    listener.close()
  }
})

test('the table has medians, and each goal says whether it is reached', () => {
  const figure = (
    server: 'hearth' | 'qemu',
    scene: string,
    lossy: boolean,
    factor: number,
  ): DisplayFigure => ({
    ...{ server, scene, lossy },
    bytesPerSecond: 500 * factor,
    cpuPercent: 10 * factor,
    updatesPerSecond: 40,
  })
  const report = {
    keyToPixelMs: [10, 20, 90],
    ...{ v: 1 as const, commit: 'c', takenAt: 't', seconds: 1 },
    host: { cpu: 'x', cpus: 2, node: 'v24', qemu: '10' },
    figures: ['window drag', 'idle desktop'].flatMap((scene) =>
      [false, true].flatMap((lossy) => [figure('hearth', scene, lossy, 1), figure('qemu', scene, lossy, 2)]),
    ),
  }
  assert.match(
    displayTable(report),
    /\| window drag, without loss \| 0\.50 kB\/s \| 1\.00 kB\/s \| 10 % \| 20 % \| 40\.0 \| 40\.0 \|/,
  )
  assert.deepEqual(
    reachedGoals(report).map((line) => !line.includes('NOT')),
    [true, true, true, true, true],
  )
})
