/** TigerVNC's viewer, from Debian, under a screen of its own: connects to the socket and shows the same picture. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SURFACE_STRIDE, Surface } from '../display/surface.ts'
import { DisplayThread } from '../display/thread.ts'
import { startX } from './testing/x-server.ts'

const SCREEN = { width: 640, height: 400 } as const

function start(t: TestContext, command: string, args: string[], env = process.env): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return child
}

/** X's own dump of its screen (XWDFile.h): a header of big-endian words, a colour map, then rows of BGRX. */
function pixelsOf(dump: Buffer): (x: number, y: number) => number {
  const word = (index: number): number => dump.readUInt32BE(index * 4)
  const start = word(0) + word(19) * 12
  const stride = word(12)
  return (x, y) => dump.readUInt32LE(start + y * stride + x * 4) & 0xff_ffff
}

test('the picture of TigerVNC’s viewer is the guest’s, and follows its changes', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hearth-tigervnc-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const socket = path.join(folder, 'display')
  const thread = await DisplayThread.start({ path: socket, name: 'tiger', layout: 'us', warn() {} })
  t.after(() => thread.close())
  const surface = new Surface(thread.handle.surface)
  surface.resize(SCREEN.width, SCREEN.height)
  const colour = (x: number, y: number, seed: number): number =>
    ((((x >> 4) * 37 + seed) & 0xff) << 16) | ((((y >> 4) * 53) & 0xff) << 8) | (((x * y + seed) >> 9) & 0xff)
  const paint = (seed: number): void => {
    for (let y = 0; y < SCREEN.height; y++)
      for (let x = 0; x < SCREEN.width; x++) surface.pixels[y * SURFACE_STRIDE + x] = colour(x, y, seed)
    surface.damage(0, 0, SCREEN.width, SCREEN.height)
  }
  paint(1)
  const display = await startX(t, folder, `${SCREEN.width}x${SCREEN.height}x24`)
  start(t, 'xtigervncviewer', ['-FullScreen', '-MenuKey=', '-RemoteResize=0', '-NoJPEG=1', socket], {
    ...process.env,
    DISPLAY: display,
    HOME: folder,
  })
  // Where its own cursor may lie is left out.
  const shown = async (seed: number): Promise<boolean> => {
    const dump = await readFile(path.join(folder, 'Xvfb_screen0'))
    const at = pixelsOf(dump)
    for (let y = 0; y < SCREEN.height; y += 7)
      for (let x = 0; x < SCREEN.width; x += 5) {
        const nearCursor = Math.abs(x - SCREEN.width / 2) < 20 && Math.abs(y - SCREEN.height / 2) < 20
        if (!nearCursor && at(x, y) !== colour(x, y, seed)) return false
      }
    return true
  }
  for (const seed of [1, 90]) {
    paint(seed)
    const deadline = Date.now() + 60_000
    while (!(await shown(seed))) {
      assert.ok(Date.now() < deadline, `picture ${seed} did not come`)
      await sleep(50)
    }
  }
})
