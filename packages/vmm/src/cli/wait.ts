/**
 * `hearth-vmm wait`: a process that has everything ready but the VM. Node's own start and the loading of code are most
 * of what a start costs; whoever keeps such a process pays for it before anybody waits.
 */
import { forbidNewPrivileges } from '../jail/privileges.ts'
import { startEarly } from '../machine/workers.ts'
import { EXIT, usageError } from '../sys/exit-error.ts'
import { check, close, dup2, O, open } from '../sys/libc.ts'
import { LineSplitter } from '../sys/line-splitter.ts'
import { keepMemorySmall } from '../sys/thrift.ts'
import { runCommand, say } from './run.ts'

/** A command line is a few hundred bytes; the kernel's own limit for one is about so much. */
const MAX_LINE = 128 * 1024

/** The line on standard input that turns the process into a VM's: what follows `run`, and where its words go. */
export interface WaitOrder {
  readonly run: readonly string[]
  /** Absolute path; standard output and error are appended there from now on. */
  readonly log?: string | undefined
}

/** Ends with code 0 when standard input ends before an order comes: nobody wants the process any more. */
export async function waitCommand(): Promise<number> {
  // These belong to threads and to the pool: they have to come before the first one starts (see jail/jail.ts).
  process.env.UV_THREADPOOL_SIZE = '1'
  forbidNewPrivileges()
  keepMemorySmall()
  const early = await startEarly()
  say('ready for a VM')
  const line = await firstLine()
  if (line === undefined) return EXIT.poweroff
  const { run, log } = parseWaitOrder(line)
  if (log !== undefined) redirectOutput(log)
  return runCommand(run, early)
}

/** Throws ExitError (usage). */
export function parseWaitOrder(line: string): WaitOrder {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw usageError('wait: the line on standard input is not JSON')
  }
  const { run, log } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (!Array.isArray(run) || !run.every((argument): argument is string => typeof argument === 'string')) {
    throw usageError('wait: write {"run": ["--kernel", …]} on standard input, what would follow "run"')
  }
  if (log !== undefined && (typeof log !== 'string' || !log.startsWith('/'))) {
    throw usageError('wait: "log" is the absolute path of a file')
  }
  return { run, log }
}

function redirectOutput(path: string): void {
  const fd = open(path, O.WRONLY | O.CREAT | O.APPEND | O.CLOEXEC, 0o600)
  if (fd < 0) throw usageError(`wait: the log ${path} cannot be written`)
  for (const stream of [1, 2]) check('dup2', dup2(fd, stream))
  close(fd)
}

/** What comes behind the line stays in the stream: a serial console may read on there. */
function firstLine(): Promise<string | undefined> {
  const { stdin } = process
  const lines = new LineSplitter(MAX_LINE)
  return new Promise((resolve, reject) => {
    const done = (line: string | undefined): void => {
      stdin.off('data', take)
      stdin.off('end', end)
      stdin.pause()
      resolve(line)
    }
    const end = (): void => done(undefined)
    const take = (chunk: Buffer): void => {
      const newline = chunk.indexOf(0x0a)
      const complete = lines.push(newline < 0 ? chunk : chunk.subarray(0, newline + 1))
      if (complete === undefined) reject(usageError('wait: the line on standard input has no end'))
      else if (complete.length > 0) {
        done(complete[0])
        if (newline + 1 < chunk.length) stdin.unshift(chunk.subarray(newline + 1))
      }
    }
    stdin.on('data', take)
    stdin.on('end', end)
  })
}
