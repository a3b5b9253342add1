/** A command in the lab: started at once, its streams and its end as they come. */

import { once } from 'node:events'
import { createWriteStream, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Channel, CommandExit, CommandOptions, CommandStreams } from './channel.ts'
import { LabError } from './lab-error.ts'

export interface SpawnOptions extends CommandOptions {
  /** Connects a standard input; without it the command reads /dev/null. */
  readonly stdin?: boolean
  readonly onStdout?: (chunk: Buffer) => void
  readonly onStderr?: (chunk: Buffer) => void
  /** A file on this machine that both streams are appended to. */
  readonly logFile?: string
}

export interface RunOptions extends CommandOptions {
  /** Kills the command when it has not ended by then; the promise rejects. */
  readonly timeoutMs?: number
  readonly stdin?: string | Uint8Array | Readable
  readonly onStdout?: (chunk: Buffer) => void
  readonly onStderr?: (chunk: Buffer) => void
}

export interface RunResult extends CommandExit {
  readonly stdout: string
  readonly stderr: string
}

/** A grandchild may keep a stream open after the command's end; its output is followed for so long. */
const DRAIN_MS = 2000

export class LabProcess {
  /** Resolves when the command has ended and its output is read; rejects when the lab died. */
  readonly exit: Promise<CommandExit>
  /** As `exit`, but always resolves. */
  readonly ended: Promise<void>
  /** Resolves with the streams once the command runs. */
  readonly started: Promise<CommandStreams>
  private readonly channel: Channel
  private id: string | undefined
  private over = false
  private queuedSignals: NodeJS.Signals[] = []

  constructor(channel: Channel, script: string, options: SpawnOptions) {
    this.channel = channel
    const running = channel.start(script, { stdin: options.stdin ?? false })
    this.started = running.then(({ id, streams }) => {
      this.id = id
      for (const signal of this.queuedSignals) channel.kill(id, signal)
      this.follow(streams, options)
      return streams
    })
    this.exit = this.finish(running)
    this.ended = this.exit.then(
      () => {},
      () => {},
    )
    this.started.catch(() => {})
  }

  /** To every process the command started, as a terminal's Ctrl-C would. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (this.over) return
    if (this.id === undefined) this.queuedSignals.push(signal)
    else this.channel.kill(this.id, signal)
  }

  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when it has ended. */
  async stop(graceMs = 10_000): Promise<void> {
    this.kill('SIGTERM')
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs)
    await this.ended
    clearTimeout(timer)
  }

  private follow(streams: CommandStreams, options: SpawnOptions): void {
    const log =
      options.logFile === undefined
        ? undefined
        : createWriteStream(options.logFile, { fd: openSync(options.logFile, 'a', 0o600) })
    let open = 2
    const each = (stream: Socket, onChunk: ((chunk: Buffer) => void) | undefined): void => {
      if (onChunk) stream.on('data', onChunk)
      if (log) stream.on('data', (chunk) => log.write(chunk))
      stream.once('close', () => {
        if (--open === 0) log?.end()
      })
    }
    each(streams.stdout, options.onStdout)
    each(streams.stderr, options.onStderr)
    // Nobody who waits for its end has to read it.
    if (!options.onStdout && !log) streams.stdout.resume()
    if (!options.onStderr && !log) streams.stderr.resume()
  }

  private async finish(running: ReturnType<Channel['start']>): Promise<CommandExit> {
    const { exit, streams } = await running
    const closed = Promise.all([streams.stdout, streams.stderr].map(untilEnd))
    const result = await exit.finally(() => {
      this.over = true
      streams.stdin?.destroy()
    })
    const timer = setTimeout(() => {
      for (const stream of [streams.stdout, streams.stderr]) stream.destroy()
    }, DRAIN_MS)
    await closed
    clearTimeout(timer)
    return result
  }
}

async function untilEnd(stream: Socket): Promise<void> {
  // Half-open sockets do not close by themselves.
  stream.once('end', () => stream.end())
  if (!stream.closed) await once(stream, 'close').catch(() => {})
}

/** Collects the output of `process`. */
export async function runToEnd(process: LabProcess, options: RunOptions): Promise<RunResult> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  let overdue = false
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          overdue = true
          void process.stop(5000)
        }, options.timeoutMs)
  const { exit } = process
  exit.catch(() => {})
  try {
    const streams = await process.started
    streams.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    streams.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    if (streams.stdin) feed(streams.stdin, options.stdin)
    const end = await exit
    const result = { ...end, stdout: text(stdout), stderr: text(stderr) }
    if (overdue) {
      throw new LabError(
        `The command was still running in the lab after ${options.timeoutMs} ms and was ended. It printed:\n${(result.stdout + result.stderr).slice(-4000)}`,
      )
    }
    return result
  } finally {
    clearTimeout(timer)
  }
}

function feed(stdin: Socket, input: RunOptions['stdin']): void {
  if (input instanceof Readable) input.pipe(stdin)
  else stdin.end(input ?? '')
}

const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString()
