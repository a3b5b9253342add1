/**
 * The monitor's display without a monitor: the display thread as `hearth-vmm` runs it, and on this process's main
 * thread, which is not counted, a painter in place of the guest and its GPU. Prints `ready`; then each line on standard
 * input is a scene's number and seconds, answered with `done`.
 */
import { createInterface } from 'node:readline'
import { SURFACE_STRIDE, Surface } from '../../../packages/vmm/src/display/surface.ts'
import { DisplayThread } from '../../../packages/vmm/src/display/thread.ts'
import { runScene } from './run-scene.ts'
import { HEIGHT, type Rect, scenes, WIDTH } from './scenes.ts'

const thread = await DisplayThread.start({
  path: process.argv[2]!,
  name: 'bench',
  layout: 'us',
  warn: (text) => process.stderr.write(`${text}\n`),
})
const surface = new Surface(thread.handle.surface)
surface.resize(WIDTH, HEIGHT)

function show(pixels: Uint32Array, rects: readonly Rect[]): void {
  for (const { x, y, width, height } of rects) {
    for (let row = y; row < y + height; row++) {
      const at = row * WIDTH + x
      surface.pixels.set(pixels.subarray(at, at + width), row * SURFACE_STRIDE + x)
    }
    surface.damage(x, y, width, height)
  }
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [scene, seconds] = line.split(' ').map(Number)
  await runScene(scenes[scene!]!(), seconds!, show, () => process.stdout.write('begun\n'))
  process.stdout.write('done\n')
}
process.exit(0)
