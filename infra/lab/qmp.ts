/** QEMU's machine protocol (docs/interop/qmp-spec): one JSON object a line over a unix socket. */
import { createConnection, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

type Reply = { return?: unknown; error?: { desc: string } }

export class Qmp {
  private readonly socket: Socket
  /** QEMU answers strictly in order. */
  private readonly waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error('QEMU closed its control socket'))
    })
    createInterface({ input: socket }).on('line', (line) => this.receive(JSON.parse(line) as Reply))
  }

  static async connect(path: string): Promise<Qmp> {
    const socket = createConnection(path)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    const qmp = new Qmp(socket)
    await qmp.execute('qmp_capabilities')
    return qmp
  }

  execute(command: string, args?: Record<string, unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      this.socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`)
    })
  }

  /** Runs a command of the human monitor; it prints nothing when all is well. */
  async monitor(line: string): Promise<string> {
    return String(await this.execute('human-monitor-command', { 'command-line': line })).trim()
  }

  close(): void {
    this.socket.destroy()
  }

  private receive(reply: Reply): void {
    // Greeting and events are neither.
    if (!('return' in reply) && !('error' in reply)) return
    const next = this.waiting.shift()
    if (reply.error) next?.reject(new Error(reply.error.desc))
    else next?.resolve(reply.return)
  }
}
