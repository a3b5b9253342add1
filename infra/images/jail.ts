/**
 * Programs that read what strangers made (disk images) run in a jail: an unprivileged user of its own, no network, a
 * root that holds the program's libraries, the one file and one folder to write in, and limits to what they may take.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { GIB } from '@hearth/shared/units'
import { BuildError } from '../recipes/build-error.ts'

/**
 * No account has it: above what Debian, systemd and containers give out, so that nothing else on the machine runs as
 * it or owns files of it.
 */
export const jailUid = 2_000_000_483

/**
 * Whether we may become that user: root may, but not root of a user namespace (a container) that lacks its id; there
 * the program stays who it is, with no capability left.
 */
export function mayBecomeJailUser(): boolean {
  if (process.getuid?.() !== 0) return false
  // user_namespaces(7): first id inside, first id outside, how many.
  return readFileSync('/proc/self/uid_map', 'utf8')
    .trim()
    .split('\n')
    .some((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number)
      return jailUid >= first && jailUid < first + count
    })
}

export interface JailOptions {
  /** The file to read, at `/source` in there. */
  readonly source: string
  /** A folder to write in, at `/out` in there; as root, its owner has to be `jailUid`. */
  readonly work: string
  /** The longest file it may write. */
  readonly fileBytes: number
  readonly signal: AbortSignal
  readonly log: (text: string) => void
  /** Whatever comes on standard output, by piece. */
  readonly onOutput?: (text: string) => void
}

const memoryBytes = 2 * GIB
const cpuSeconds = 6 * 3600
const maxOutput = 1024 * 1024

/** Runs to the end and returns standard output; throws with the last of standard error. */
export async function runJailed(command: readonly string[], options: JailOptions): Promise<string> {
  const { source, work, signal, log } = options
  signal.throwIfAborted()
  const isRoot = process.getuid?.() === 0
  const root = await mkdtemp(path.join(os.tmpdir(), 'hearth-jail-'))
  await mkdir(work, { recursive: true })
  const limits = [
    'prlimit',
    ...[`--as=${memoryBytes}`, `--cpu=${cpuSeconds}`, `--fsize=${options.fileBytes}`],
    ...['--nofile=64', '--core=0', '--memlock=0'],
  ]
  const spaces = ['unshare', '--net', '--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child']
  const args = [
    ...limits.slice(1),
    ...spaces,
    // Without root a user namespace gives the right to make the others; the user inside is the one outside.
    ...(isRoot ? [] : ['--user', '--map-root-user']),
    ...[path.join(import.meta.dirname, 'jail.sh'), root, source, work],
    mayBecomeJailUser() ? String(jailUid) : '-',
    ...command,
  ]
  log(`+ (jailed) ${command.join(' ')}\n`)
  try {
    return await run(limits[0]!, args, options)
  } finally {
    // The mounts went with their namespace: what is left is the empty folder.
    await rm(root, { recursive: true, force: true })
  }
}

function run(program: string, args: string[], options: JailOptions): Promise<string> {
  const { signal, log, onOutput } = options
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that stopping reaches everything in it.
      detached: true,
      // NODE_ENV, because Next's types want one in every environment where they are loaded.
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', NODE_ENV: 'production' },
    })
    const stop = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }
    signal.addEventListener('abort', stop, { once: true })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < maxOutput) stdout += text
      onOutput?.(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log(text)
      stderr = (stderr + text).slice(-4096)
    })
    child.once('error', (error) => {
      signal.removeEventListener('abort', stop)
      reject(new BuildError(`${program} did not start (${error.message}). It is in the package util-linux.`))
    })
    child.once('close', (code, killed) => {
      signal.removeEventListener('abort', stop)
      if (signal.aborted) reject(signal.reason)
      else if (code === 0) resolve(stdout)
      else reject(new JailError(killed ?? `exit code ${code}`, stderr.trim()))
    })
  })
}

export class JailError extends Error {
  readonly stderr: string

  constructor(how: string, stderr: string) {
    super(`${how}: ${stderr}`)
    this.name = 'JailError'
    this.stderr = stderr
  }
}
