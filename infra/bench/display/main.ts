/**
 * `npm run bench -- display`: our display server and QEMU's VNC server with the same screens and the same viewer, on
 * this machine, without a guest. What is counted: bytes to the viewer, CPU time of the display server's threads, and
 * updates a second. Painting is done by a process or a thread that is not counted.
 */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildPages, generateDatabaseClient } from '../../build/portal.ts'
import { labQemu } from '../../lab/qemu.ts'
import { cacheDirectory, inRepository, repository } from '../../lib/paths.ts'
import { type HearthServer, startHearth } from './hearth-server.ts'
import { type ScreenServer, startQemu } from './qemu-server.ts'
import { type DisplayFigure, type DisplayReport, displayTable, reachedGoals } from './report.ts'
import { RfbMeter } from './rfb-meter.ts'
import { runScene } from './run-scene.ts'
import { scenes } from './scenes.ts'
import { cpuTime } from './threads.ts'

const usage = `Usage: npm run bench -- display [--seconds N] [--rounds N] [--no-browser] [--keep]
Measures the display server beside QEMU's VNC server, 1920 × 1080, and prints a table.

  --seconds N    how long each screen is shown (default 5)
  --rounds N     how often each is measured (default 3)
  --no-browser   leaves out the time from a key to its pixel in Chromium
  --keep         writes docs/benchmarks/display.json and display.md
`
/** What the portal's page asks for. */
const QUALITY = 7

export async function benchDisplay(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '3' },
      'no-browser': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  })
  const seconds = Number(values.seconds)
  const rounds = Number(values.rounds)
  if (values.help || !(seconds >= 1) || !(rounds >= 1)) {
    process.stdout.write(usage)
    return
  }
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'hearth-display-'))
  const figures: DisplayFigure[] = []
  try {
    const qemu = await labQemu(cacheDirectory, (detail) => process.stderr.write(`${detail}\n`))
    for (let round = 0; round < rounds; round++) {
      for (const lossy of [false, true]) {
        for (let scene = 0; scene < scenes.length; scene++) {
          const folder = await mkdtemp(path.join(scratch, 'run-'))
          const ours = await startHearth(folder)
          try {
            figures.push(await measureHearth(ours, scene, seconds, lossy))
          } finally {
            await ours.stop()
          }
          const theirs = await startQemu(qemu, folder, lossy)
          try {
            figures.push(await measureQemu(theirs, scene, seconds, lossy))
          } finally {
            await theirs.stop()
          }
          await rm(folder, { recursive: true })
          for (const figure of figures.slice(-2)) process.stderr.write(`${JSON.stringify(figure)}\n`)
        }
      }
    }
    const keys = values['no-browser'] ? null : await keysInBrowser()
    const report: DisplayReport = {
      v: 1,
      host: {
        cpu: os.cpus()[0]?.model ?? '',
        cpus: os.cpus().length,
        node: process.version,
        qemu: qemu.version,
      },
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
        cwd: repository,
        encoding: 'utf8',
      }).trim(),
      takenAt: new Date().toISOString(),
      seconds,
      figures,
      keyToPixelMs: keys,
    }
    const table = displayTable(report)
    process.stdout.write(`\n${table}\n\n${reachedGoals(report).join('\n')}\n`)
    if (values.keep) await keep(report, table)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Null, with a line that says why, where there is no Chromium: the rest is worth its table. */
async function keysInBrowser(): Promise<number[] | null> {
  try {
    await generateDatabaseClient()
    await buildPages((line) => process.stderr.write(`${line}\n`))
    const { keyToPixel } = await import('./key-to-pixel.ts')
    return await keyToPixel()
  } catch (error) {
    process.stderr.write(`no time from key to pixel: ${(error as Error).message}\n`)
    return null
  }
}

interface Watched {
  pid: number
  socketPath: string
  withoutMain: boolean
}

async function measured(
  { pid, socketPath, withoutMain }: Watched,
  scene: number,
  lossy: boolean,
  server: DisplayFigure['server'],
  run: (begun: () => void) => Promise<void>,
): Promise<DisplayFigure> {
  const socket = connect(socketPath)
  const meter = new RfbMeter(socket, lossy ? QUALITY : null)
  await meter.until(() => meter.counts.updates > 0)
  let before = { ...meter.counts, cpu: 0, at: 0 }
  await run(() => {
    before = { ...meter.counts, cpu: cpuTime(pid, { withoutMain }), at: performance.now() }
  })
  const elapsed = (performance.now() - before.at) / 1000
  const figure = {
    ...{ server, scene: scenes[scene]!().name, lossy },
    bytesPerSecond: (meter.counts.bytes - before.bytes) / elapsed,
    cpuPercent: (cpuTime(pid, { withoutMain }) - before.cpu) / elapsed / 10,
    updatesPerSecond: (meter.counts.updates - before.updates) / elapsed,
  }
  socket.destroy()
  return figure
}

const measureHearth = (server: HearthServer, scene: number, seconds: number, lossy: boolean) =>
  measured({ ...server, withoutMain: true }, scene, lossy, 'hearth', (begun) =>
    server.run(scene, seconds, begun),
  )

const measureQemu = (server: ScreenServer, scene: number, seconds: number, lossy: boolean) =>
  measured({ ...server, withoutMain: false }, scene, lossy, 'qemu', (begun) =>
    runScene(scenes[scene]!(), seconds, (pixels, rects) => server.show(pixels, rects), begun),
  )

async function keep(report: DisplayReport, table: string): Promise<void> {
  const folder = inRepository('docs/benchmarks')
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'display.json'), `${JSON.stringify(report, null, 2)}\n`)
  const { host, commit, takenAt, seconds } = report
  await writeFile(
    path.join(folder, 'display.md'),
    `# The display beside QEMU's

Taken ${takenAt.slice(0, 16)}Z at commit ${commit} on ${host.cpus} × ${host.cpu} (a shared machine), Node ${host.node}, QEMU ${host.qemu};
each screen ${seconds} seconds, 1920 × 1080, Tight, by \`npm run bench -- display --keep\`. Every run's figure is in
[display.json](display.json). The viewer is the same for both, asks for the next update when it has the last one, and
decodes nothing. Both servers are fed without a guest: ours through the surface its GPU device writes, QEMU's through a
ramfb in shared memory, which tells no damage, so QEMU compares the picture at each refresh. The painter is not counted.

${table}

${reachedGoals(report)
  .map((line) => `- ${line}`)
  .join('\n')}
`,
  )
}
