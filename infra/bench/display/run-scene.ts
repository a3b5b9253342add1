import { HEIGHT, type Rect, type Scene, WIDTH } from './scenes.ts'

/** Long enough that every viewer has the first picture. */
const SETTLE_MS = 1500

/** Shows the scene's first picture, rests, calls `begun`, and paints on for so long, each frame at its time. */
export async function runScene(
  scene: Scene,
  seconds: number,
  show: (pixels: Uint32Array, rects: readonly Rect[]) => void,
  begun: () => void,
): Promise<void> {
  const pixels = new Uint32Array(WIDTH * HEIGHT)
  scene.begin(pixels)
  show(pixels, [{ x: 0, y: 0, width: WIDTH, height: HEIGHT }])
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  begun()
  const start = performance.now()
  const frames = Math.round(seconds * scene.framesPerSecond)
  for (let index = 1; index <= frames; index++) {
    const due = start + (index * 1000) / scene.framesPerSecond
    const wait = due - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    show(pixels, scene.paint(pixels, index))
  }
}
