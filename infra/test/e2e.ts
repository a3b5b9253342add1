/**
 * The end-to-end tests: starts Hearth exactly as a person does, waits for its one line, lets Playwright drive a
 * real Chromium against it, and then presses Ctrl-C and looks at how it goes down.
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { freePort } from '../lib/free-port.ts'
import { cacheDirectory, inRepository, repository } from '../lib/paths.ts'
import { run as runProgram } from '../lib/run.ts'
import { type Steps, Trouble } from '../lib/steps.ts'
import { ensureImage } from '../recipes/build.ts'
import type { HostChoice } from '../start/host.ts'
import { runPlaywright } from './playwright.ts'
import { addTo, noTests, type Tally } from './tally.ts'

/** The name the portal is reached by when it is served by HTTPS; the browser is told where that is. */
const SECURE_NAME = 'hearth.home.arpa'
const DESKTOP_IMAGE = 'debian-12-desktop'

export async function runE2e(steps: Steps, choice: HostChoice): Promise<Tally> {
  const state = await mkdtemp(path.join(os.tmpdir(), 'hearth-e2e-'))
  process.stdout.write(`\n— end to end: the real stack on ${choice.kind}, state in ${state}\n`)
  const tally = noTests()
  await shareFolder(path.join(state, 'agent'))
  await run(steps, tally, { state, choice, config: 'playwright.config.ts', options: [] })
  // The same home once more, now for other devices: HTTPS under a name, by the home's own certificate authority.
  if (tally.failed === 0) {
    const options = ['--listen', '0.0.0.0', '--hostname', SECURE_NAME]
    await run(steps, tally, { state, choice, config: 'secure.config.ts', options })
  }
  if (tally.failed > 0) await showLogs(state)
  else await rm(state, { recursive: true, force: true })
  return tally
}

/** What whoever administers the box does by hand: a folder that VMs may have, to read. */
async function shareFolder(agent: string): Promise<void> {
  const music = path.join(agent, 'music')
  await mkdir(music, { recursive: true, mode: 0o755 })
  await writeFile(path.join(music, 'song'), 'la la la\n')
  await writeFile(path.join(agent, 'shared-folders.json'), JSON.stringify({ music: { path: music } }))
}

/**
 * The test with a graphical guest: minutes of an emulated CPU, so it is no part of a plain `npm test`. The image is
 * kept among what is cached: building it takes as long again, and is what the other end-to-end tests try with Debian 12.
 */
export async function runDesktopTest(steps: Steps, choice: HostChoice): Promise<Tally> {
  const state = await mkdtemp(path.join(os.tmpdir(), 'hearth-desktop-'))
  const store = path.join(cacheDirectory, 'test-images')
  await steps.run(`Image ${DESKTOP_IMAGE}`, async (step) => {
    const built = await ensureImage(DESKTOP_IMAGE, {
      images: store,
      cacheDir: cacheDirectory,
      onProgress: (percent, text) => step.detail(`${percent} % ${text}`),
    })
    const images = path.join(state, 'images')
    await mkdir(images)
    const copy = await runProgram('cp', ['-a', '--sparse=always', path.join(store, DESKTOP_IMAGE), images])
    if (copy.code !== 0) throw new Trouble(`The image could not be copied to ${images}: ${copy.tail}`)
    return built ? 'built' : 'there already'
  })
  const tally = noTests()
  await run(steps, tally, { state, choice, config: 'desktop.config.ts', options: [] })
  if (tally.failed > 0) await showLogs(state)
  await rm(state, { recursive: true, force: true })
  return tally
}

interface E2eRun {
  readonly state: string
  readonly choice: HostChoice
  /** Of Playwright, in the folder e2e. */
  readonly config: string
  /** More options for `npm start`. */
  readonly options: readonly string[]
}

async function run(steps: Steps, tally: Tally, { state, choice, config, options }: E2eRun): Promise<void> {
  const hearth = await steps.run('Hearth for the end-to-end tests', () => startHearth(state, choice, options))
  try {
    const env = { HEARTH_URL: hearth.url, HEARTH_SETUP_URL: hearth.setupUrl, HEARTH_STATE: state }
    addTo(tally, await runPlaywright(config, env))
  } finally {
    const code = await steps.run('Ctrl-C', () => hearth.interrupt())
    if (code === 0) tally.passed++
    else {
      tally.failed++
      process.stdout.write(`✖ after Ctrl-C npm start ended with ${code} instead of 0:\n${hearth.output()}\n`)
    }
  }
}

interface RunningHearth {
  readonly url: string
  /** Empty when somebody has set this home up already. */
  readonly setupUrl: string
  output(): string
  /** Sends SIGINT as a terminal would and resolves with the exit code. */
  interrupt(): Promise<number>
}

async function startHearth(
  state: string,
  choice: HostChoice,
  options: readonly string[],
): Promise<RunningHearth> {
  const port = await freePort()
  const child = spawn(
    process.execPath,
    [
      ...[inRepository('infra/start/main.ts'), '--port', String(port), '--state', state],
      ...['--host', choice.kind, '--no-install', ...options],
    ],
    { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  const ended = new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
  const ready = new Promise<RegExpExecArray>((resolve, reject) => {
    const look = (text: Buffer): void => {
      output += text
      const match = /Hearth is ready .*?: (http\S+)(?:.*?(http\S+\/setup\S+))?.*\n/.exec(output)
      if (match) resolve(match)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    void ended.then((code) =>
      reject(new Error(`npm start ended with ${code} before it was ready:\n${output}`)),
    )
  })
  const [, url, setupUrl] = await ready
  return {
    url: url!,
    setupUrl: setupUrl ?? '',
    output: () => output,
    async interrupt() {
      child.kill('SIGINT')
      const limit = setTimeout(() => child.kill('SIGKILL'), 180_000)
      const code = await ended
      clearTimeout(limit)
      return code
    },
  }
}

async function showLogs(state: string): Promise<void> {
  for (const name of ['portal', 'agent', 'builder']) {
    const text = await readFile(path.join(state, 'logs', `${name}.log`), 'utf8').catch(() => '')
    process.stdout.write(`\n--- end of ${name}.log\n${text.split('\n').slice(-60).join('\n')}\n`)
  }
}
