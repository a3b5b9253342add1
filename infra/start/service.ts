/**
 * The long-running programs that `npm start` starts: each in a session of its own, so that Ctrl-C in the
 * terminal reaches only us and the order of stopping is ours; each told by the kernel to end when we die.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, closeSync, openSync, statSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { Trouble } from '../lib/steps.ts'
import { describeEnd, type Ending, type Run } from './supervise.ts'

const LOG_LIMIT_BYTES = 8 * 1024 * 1024

export interface Service {
  readonly name: string
  readonly log: string
  /** Resolves when the process has ended, however that came, with how. */
  readonly ended: Promise<Ending>
  /** The end of what it wrote since it was started. */
  lastWords(): Promise<string>
  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when the process is gone. */
  stop(graceMs?: number): Promise<void>
}

export interface ServiceOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly logs: string
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  /** Called with each line of standard output; standard error goes to the log file alone. */
  readonly onStdout?: (line: string) => void
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const log = path.join(options.logs, `${options.name}.log`)
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) await rename(log, `${log}.1`)
  const fd = openSync(log, 'a', 0o600)
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', options.command, ...options.args], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: ['ignore', options.onStdout ? 'pipe' : fd, fd],
  })
  closeSync(fd)
  const begin = statSync(log).size
  const ended = new Promise<Ending>((resolve) => {
    child.once('error', (error) => resolve(`could not be run (${error.message})`))
    child.once('exit', (code, signal) => resolve(describeEnd({ code, signal })))
  })
  let asked = false
  void ended.then((ending) => {
    if (!asked) appendFileSync(log, `--- ${new Date().toISOString()} the ${options.name} ${ending}\n`)
  })
  if (options.onStdout) eachLine(child, options.onStdout)
  return {
    name: options.name,
    log,
    ended,
    lastWords: () => logSince(log, begin),
    async stop(graceMs = 10_000) {
      asked = true
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await ended
      clearTimeout(timer)
    },
  }
}

export function runOf(service: Service): Run {
  const { ended } = service
  return { ended, lastWords: () => service.lastWords(), stop: () => service.stop() }
}

/** Waits until `ready` resolves true; when the service ends first, throws with the end of its log. */
export async function untilReady(
  service: Pick<Service, 'name' | 'log' | 'ended'>,
  ready: () => Promise<boolean>,
  limitMs: number,
): Promise<void> {
  let gone: Ending | undefined
  void service.ended.then((ending) => {
    gone = ending
  })
  const deadline = Date.now() + limitMs
  for (;;) {
    if (await ready().catch(() => false)) return
    if (gone)
      throw new Trouble(
        `The ${service.name} ${gone} instead of starting. Its last words:\n${await logTail(service.log)}`,
      )
    if (Date.now() > deadline) {
      throw new Trouble(
        `The ${service.name} did not become ready within ${Math.round(limitMs / 1000)} s. Its last words:\n${await logTail(service.log)}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export async function logTail(file: string, lines = 12): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const tail = text.trimEnd().split('\n').slice(-lines)
  return `${tail.map((line) => `    ${line}`).join('\n')}\n    (all of it: ${file})`
}

/** The last lines of what a log has beyond `begin`: another run's words would mislead. */
export async function logSince(file: string, begin: number, lines = 12): Promise<string> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const from = Math.max(begin, size - 64 * 1024)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - from)), {
      position: from,
    })
    const text = buffer.toString('utf8', 0, bytesRead).trimEnd()
    if (text === '') return ''
    return text
      .split('\n')
      .filter((line) => !line.startsWith('--- '))
      .slice(-lines)
      .map((line) => `    ${line}`)
      .join('\n')
  } finally {
    await handle.close()
  }
}

function eachLine(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = ''
  child.stdout?.setEncoding('utf8')
  child.stdout?.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}
