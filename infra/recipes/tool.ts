/** Runs the programs a build is made of: their output goes to the build's log, their failure becomes a sentence. */
import { spawn } from 'node:child_process'
import { BuildError } from './build-error.ts'
import type { BuildContext } from './recipe.ts'

export interface ToolOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly onLine?: (line: string) => void
}

export async function tool(
  context: Pick<BuildContext, 'log' | 'signal'>,
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<void> {
  context.signal.throwIfAborted()
  context.log(`+ ${command} ${args.join(' ')}\n`)
  // A group of its own, so that stopping reaches what the program started too.
  const child = spawn(command, [...args], {
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const stop = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  }
  context.signal.addEventListener('abort', stop, { once: true })
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      context.log(text)
      tail = (tail + text).slice(-8000)
      const lines = (rest + text).split(/[\r\n]+/)
      rest = lines.pop() ?? ''
      for (const line of lines) options.onLine?.(line)
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', (error) =>
      reject(
        new BuildError(`${command} did not start (${error.message}). Install the Debian package it is in.`),
      ),
    )
  }).finally(() => context.signal.removeEventListener('abort', stop))
  context.signal.throwIfAborted()
  if (code !== 0) throw new BuildError(explain(command, tail))
}

/** What to do about a failed tool, as far as its last words tell. */
export function explain(command: string, tail: string): string {
  const last = tail.trim().split('\n').slice(-6).join('\n')
  const advice: [RegExp, string][] = [
    [
      /no space left on device/i,
      'The disk is full. Free some space (an image takes about 3 GiB while it is built).',
    ],
    [
      /could not resolve|temporary failure resolving|could not connect|network is unreachable|connection (?:timed out|refused|failed)/i,
      "Debian's package mirror cannot be reached. Check this machine's network and the mirror in /etc/apt/sources.list.",
    ],
    [
      /unable to locate package (\S+)/i,
      'The mirror lacks a package. Run "apt-get update" and look at the mirror in /etc/apt/sources.list.',
    ],
    [
      /404 +not found/i,
      "The mirror's package lists are older than its packages. Try again in a few minutes.",
    ],
    [
      /no_pubkey|not signed|invalid signature/i,
      'The packages could not be checked. Install the Debian package debian-archive-keyring.',
    ],
    [
      /operation not permitted|must be root|permission denied/i,
      'Building an image needs root: start Hearth as root.',
    ],
  ]
  const [, hint] = advice.find(([pattern]) => pattern.test(tail)) ?? []
  return `${hint ?? `${command} failed.`} Its last words:\n${last}`
}
