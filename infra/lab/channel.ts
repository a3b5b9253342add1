/**
 * The outer end of the command channel (`guest/channel` is the inner one): commands in the lab with their streams,
 * exit codes and signals, several at once, over TCP connections to one forwarded port.
 */
import { createConnection, type Socket } from 'node:net'
import os from 'node:os'
import { createInterface } from 'node:readline'
import { LabError } from './lab-error.ts'

export interface CommandExit {
  /** The exit status; 128 plus the signal's number when a signal ended it, as a shell says it. */
  readonly code: number
  readonly signal: NodeJS.Signals | null
}

export interface CommandStreams {
  /** Undefined when the command was started without one. */
  readonly stdin: Socket | undefined
  readonly stdout: Socket
  readonly stderr: Socket
}

interface Command {
  readonly ready: PromiseWithResolvers<void>
  readonly exit: PromiseWithResolvers<CommandExit>
}

const CONNECT_ATTEMPTS = 200
const CONNECT_INTERVAL_MS = 50

export class Channel {
  private readonly port: number
  private readonly secret: string
  private readonly commands = new Map<string, Command>()
  private readonly sockets = new Set<Socket>()
  private control: Socket | undefined
  private nextId = 1
  private broken: Error | undefined
  /** The listener inside takes one connection after the other; a burst would overflow its backlog and wait seconds. */
  private connecting: Promise<unknown> = Promise.resolve()

  constructor(port: number, secret: string) {
    this.port = port
    this.secret = secret
  }

  async open(): Promise<void> {
    const control = await this.connectPatiently('control')
    this.control = control
    createInterface({ input: control }).on('line', (line) => this.answer(line))
    control.on('close', () => this.fail(new LabError('The lab closed its command channel.')))
    control.resume()
  }

  /** Starts a shell script; resolves when it runs and its streams are connected. */
  async start(
    script: string,
    options: { stdin: boolean },
  ): Promise<{ id: string; exit: Promise<CommandExit>; streams: CommandStreams }> {
    if (this.broken) throw this.broken
    const id = String(this.nextId++)
    const command: Command = { ready: Promise.withResolvers(), exit: Promise.withResolvers() }
    for (const { promise } of [command.ready, command.exit]) promise.catch(() => {})
    this.commands.set(id, command)
    const encoded = Buffer.from(script).toString('base64')
    this.send(`run ${id} ${options.stdin ? 'stdin' : 'null'} ${encoded}`)
    await command.ready.promise
    const [stdin, stdout, stderr] = await Promise.all([
      options.stdin ? this.connect('stdin', id) : undefined,
      this.connect('stdout', id),
      this.connect('stderr', id),
    ])
    return { id, exit: command.exit.promise, streams: { stdin, stdout, stderr } }
  }

  /** To every process of the command's session. */
  kill(id: string, signal: NodeJS.Signals): void {
    if (this.commands.has(id)) this.send(`kill ${id} ${signal.replace(/^SIG/, '')}`)
  }

  /** Asks the lab to end everything and switch itself off. */
  powerOff(): void {
    this.send('poweroff')
  }

  /** Everything under way ends with this error, and so does everything asked for later. */
  fail(error: Error): void {
    this.broken ??= error
    for (const { ready, exit } of this.commands.values()) {
      ready.reject(this.broken)
      exit.reject(this.broken)
    }
    this.commands.clear()
    for (const socket of this.sockets) socket.destroy()
  }

  private send(line: string): void {
    if (this.broken) return
    this.control?.write(`${line}\n`)
  }

  private answer(line: string): void {
    const [word, id = '', status] = line.split(' ')
    const command = this.commands.get(id)
    if (!command) return
    if (word === 'ready') command.ready.resolve()
    if (word === 'exit') {
      this.commands.delete(id)
      command.exit.resolve(commandExit(Number(status)))
    }
  }

  /** The lab says that it is up a moment before its listener listens. */
  private async connectPatiently(role: string): Promise<Socket> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.connect(role)
      } catch (error) {
        if (this.broken || attempt === CONNECT_ATTEMPTS) throw error
        await new Promise((resolve) => setTimeout(resolve, CONNECT_INTERVAL_MS))
      }
    }
  }

  private connect(role: string, id = ''): Promise<Socket> {
    const connected = this.connecting.then(() => this.connectNow(role, id))
    this.connecting = connected.catch(() => {})
    return connected
  }

  private connectNow(role: string, id: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(this.broken)
      // A command's end may come before we do; its input is then closed, its output still to be read.
      const socket = createConnection({ port: this.port, host: '127.0.0.1', allowHalfOpen: true })
      this.sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      const refused = (): void =>
        reject(this.broken ?? new LabError(`The lab refused the ${role} of a command.`))
      socket.once('close', () => {
        this.sockets.delete(socket)
        refused()
      })
      socket.once('connect', () => socket.write(`${this.secret} ${role} ${id}\n`))
      // The inner end says `ok` as soon as it has the connection; what follows belongs to the stream.
      const greeting = (): void => {
        const chunk = socket.read(3) as Buffer | null
        if (chunk === null) return
        socket.off('readable', greeting)
        if (chunk.toString() === 'ok\n') resolve(socket)
        else socket.destroy()
      }
      socket.on('readable', greeting)
    })
  }
}

function commandExit(status: number): CommandExit {
  const signal = Object.entries(os.constants.signals).find(([, number]) => number === status - 128)?.[0]
  return { code: status, signal: (signal as NodeJS.Signals | undefined) ?? null }
}

/** `text` as one word of a shell script. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

export interface CommandOptions {
  /** Absolute; `/` when absent. */
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Runs it on a terminal of this size, with both streams on stdout. */
  readonly terminal?: { readonly columns: number; readonly rows: number } | undefined
}

/** The script that becomes the command. */
export function commandScript(command: string, args: readonly string[], options: CommandOptions): string {
  const lines = ['unset PPID OLDPWD PWD']
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (value !== undefined && /^[A-Za-z_]\w*$/.test(name)) lines.push(`export ${name}=${shellQuote(value)}`)
  }
  lines.push(`cd ${shellQuote(options.cwd ?? '/')} || exit 126`)
  const words = [command, ...args].map(shellQuote).join(' ')
  // A shell's background children ignore SIGINT and SIGQUIT, and nc's ignore SIGCHLD: coreutils' env undoes it.
  const program = `/usr/bin/env --default-signal ${words}`
  if (options.terminal) {
    const { columns, rows } = options.terminal
    const inner = `stty columns ${columns} rows ${rows}; exec ${program}`
    lines.push(`exec /usr/bin/env --default-signal script -qefc ${shellQuote(inner)} /dev/null`)
  } else {
    lines.push(`exec ${program}`)
  }
  return `${lines.join('\n')}\n`
}
