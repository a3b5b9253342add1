/** `npm start`: from whatever the machine has to a running portal, and back down again on Ctrl-C. */

import os from 'node:os'
import { buildPages, generateDatabaseClient } from '../build/portal.ts'
import { buildPrograms } from '../build/programs.ts'
import { ensurePackages } from '../lib/debian.ts'
import { duration, Steps, Trouble } from '../lib/steps.ts'
import { chooseHost, type HostChoice, hostPackages, startHost } from './host.ts'
import { help, isLoopback, parseOptions, type StartOptions } from './options.ts'
import { startPortal } from './portal.ts'
import { checkPort } from './ports.ts'
import { lockState, openState } from './state.ts'
import { ensureTls } from './tls.ts'

/** What was started, in order; stopped in the reverse order. */
const running: { name: string; stop: () => Promise<void>; ended?: Promise<unknown> }[] = []
const steps = new Steps()

/** Aborted by the first Ctrl-C: set-up stops at the next step, a running Hearth shuts down. */
const interrupted = new AbortController()
/** Aborted by the second: guests are not waited for. */
const impatient = new AbortController()

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (!options) {
    process.stdout.write(help)
    return 0
  }
  listenForSignals()
  const started = performance.now()
  let problem: string | undefined
  try {
    const address = await bringUp(options)
    announce(options, address, performance.now() - started)
    problem = await untilInterruptedOrBroken(options)
  } finally {
    await bringDown()
  }
  if (problem) throw new Trouble(problem)
  steps.note(`Hearth has stopped. What it keeps is in ${options.state}; "npm start" brings it back.`)
  return 0
}

async function bringUp(
  options: StartOptions,
): Promise<{ url: string; setupUrl: string | null; choice: HostChoice }> {
  await checkPort(options.listen, options.port)
  const state = await openState(options.state)
  await lockState(state)
  const choice = await chooseHost(steps, options)
  await ensurePackages(steps, hostPackages(choice), { install: options.install })
  goOn()
  await steps.run('Programs', async () => ((await buildPrograms()) > 0 ? 'bundled' : 'unchanged'))
  await steps.run('Database client', async () =>
    (await generateDatabaseClient()) ? 'generated' : 'unchanged',
  )
  await steps.run('Portal pages', async (step) =>
    (await buildPages((line) => step.detail(line))) ? 'built' : 'unchanged',
  )
  goOn()
  const tls = isLoopback(options.listen)
    ? undefined
    : await steps.run('Certificate', () => ensureTls(state, options.hostname, options.listen))
  const host = await startHost({
    steps,
    options,
    state,
    choice,
    goOn,
    onStarted: (part) => running.push(part),
  })
  goOn()
  const portal = await steps.run('Portal', () =>
    startPortal({ steps, options, state, tls, host, onStarted: (part) => running.push(part) }),
  )
  // Guests are shut down first of all, while the portal still shows how it goes.
  running.push({ name: 'guests', stop: () => host.shutdownGuests(steps, impatient.signal) })
  return { ...portal, choice }
}

function announce(
  options: StartOptions,
  ready: { url: string; setupUrl: string | null; choice: HostChoice },
  tookMs: number,
): void {
  if (ready.choice.kind === 'lab') {
    steps.note('VMs run in the emulated lab host: everything works, slowly.')
  }
  if (process.env.SSH_CONNECTION && isLoopback(options.listen)) {
    steps.note(
      `You are here by SSH, and the address below is for this box only. From your computer: ssh -L ${options.port}:127.0.0.1:${options.port} ${os.hostname()}, or start Hearth for the network: npm start -- --listen 0.0.0.0`,
    )
  }
  const first = ready.setupUrl ? `  ·  first start, set it up here (once): ${ready.setupUrl}` : ''
  process.stdout.write(`Hearth is ready after ${duration(tookMs)}: ${ready.url}${first}\n`)
}

/** Resolves with undefined on Ctrl-C, or with what broke when a part ends by itself. */
function untilInterruptedOrBroken(options: StartOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    interrupted.signal.addEventListener('abort', () => resolve(undefined))
    if (interrupted.signal.aborted) resolve(undefined)
    for (const part of running) {
      void part.ended?.then(() =>
        resolve(
          `The ${part.name} ended by itself, again and again; its log is ${options.state}/logs/${part.name}.log. Everything else was stopped.`,
        ),
      )
    }
  })
}

async function bringDown(): Promise<void> {
  for (const part of running.reverse()) {
    try {
      await part.stop()
    } catch (error) {
      steps.note(`Stopping the ${part.name} did not go well: ${(error as Error).message}`)
    }
  }
}

function listenForSignals(): void {
  let first = 0
  const onSignal = (): void => {
    if (!interrupted.signal.aborted) {
      first = Date.now()
      process.stderr.write('\n')
      interrupted.abort()
    } else if (Date.now() - first > 1000) {
      // A terminal's Ctrl-C may arrive twice, once by itself and once passed on by npm.
      impatient.abort()
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
}

function goOn(): void {
  if (interrupted.signal.aborted) throw new Trouble('Interrupted; what was started has been stopped.')
}

main().then(
  (code) => {
    process.exit(code)
  },
  (error: unknown) => {
    if (error instanceof Trouble) process.stderr.write(`\nhearth: ${error.message}\n`)
    else
      process.stderr.write(
        `\nhearth: this should not have happened; please report it:\n${(error as Error).stack}\n`,
      )
    process.exit(1)
  },
)
