/** A monitor's control socket in the lab, for tests outside: one process in there hands lines on, as starting Node takes seconds. */
import assert from 'node:assert/strict'
import type { Lab } from '../../../../infra/lab/lab.ts'
import type { LabProcess } from '../../../../infra/lab/lab-process.ts'

const HAND_ON = `
  const socket = require('node:net').connect(process.argv[1])
  process.stdin.pipe(socket).pipe(process.stdout)`

export interface ControlAnswer {
  readonly ok: boolean
  readonly result: unknown
  readonly error?: string
}

export class LabControl {
  private readonly process: LabProcess
  private readonly waiting = new Map<number, (answer: ControlAnswer) => void>()
  private lastId = 0
  private rest = ''
  private errors = ''

  constructor(lab: Lab, socket: string) {
    this.process = lab.spawn('node', ['-e', HAND_ON, socket], {
      stdin: true,
      onStdout: (chunk) => {
        const lines = (this.rest + chunk.toString()).split('\n')
        this.rest = lines.pop()!
        for (const line of lines) {
          const { id, ...answer } = JSON.parse(line) as ControlAnswer & { id?: number }
          if (id !== undefined) this.waiting.get(id)?.(answer)
        }
      },
      onStderr: (chunk) => {
        this.errors += chunk.toString()
      },
    })
  }

  async call(method: string, params?: unknown): Promise<ControlAnswer> {
    const id = ++this.lastId
    const answer = new Promise<ControlAnswer>((resolve) => this.waiting.set(id, resolve))
    const { stdin } = await this.process.started
    stdin!.write(`${JSON.stringify({ id, method, params })}\n`)
    const over = this.process.ended.then(() => assert.fail(`no answer to ${method}\n${this.errors}`))
    return Promise.race([answer, over])
  }

  stop(): Promise<void> {
    return this.process.stop(1000)
  }
}
