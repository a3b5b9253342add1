import assert from 'node:assert/strict'
import type { Lab } from '../../../../../infra/lab/lab.ts'
import type { LabProcess } from '../../../../../infra/lab/lab-process.ts'
import { inRepository } from '../../../../../infra/lib/paths.ts'
import { BOOT_MS } from '../../testing/lab-guest.ts'

/** `console-client.ts` as a process in the lab: commands in, JSON out. */
export class LabViewer {
  private readonly process: LabProcess
  private readonly answers: string[] = []
  private rest = ''
  private errors = ''
  private over = false
  private wake: () => void = () => {}

  /** `encoding` is RFB's number of the one to prefer. */
  constructor(lab: Lab, socket: string, encoding: number) {
    const program = inRepository('packages/vmm/src/display/testing/console-client.ts')
    this.process = lab.spawn('node', [program, socket, String(encoding)], {
      stdin: true,
      onStdout: (chunk) => {
        const lines = (this.rest + chunk.toString()).split('\n')
        this.rest = lines.pop()!
        this.answers.push(...lines)
        this.wake()
      },
      onStderr: (chunk) => {
        this.errors += chunk.toString()
      },
    })
    void this.process.ended.then(() => {
      this.over = true
      this.wake()
    })
  }

  /** The next answer; the first one comes by itself and says what it is connected to. */
  async answer(): Promise<Record<string, unknown>> {
    const deadline = Date.now() + BOOT_MS
    while (this.answers.length === 0) {
      if (this.over || Date.now() > deadline) assert.fail(`the viewer says nothing\n${this.errors}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return JSON.parse(this.answers.shift()!) as Record<string, unknown>
  }

  async command(line: string): Promise<Record<string, unknown>> {
    const { stdin } = await this.process.started
    stdin!.write(`${line}\n`)
    return this.answer()
  }

  stop(): Promise<unknown> {
    return this.process.stop(1000)
  }
}
