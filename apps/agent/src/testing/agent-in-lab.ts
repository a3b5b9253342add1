/** The real agent as a process in the lab host, as the portal reaches it; for `*.lab.test.ts`. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { agentEntry, buildPrograms, vmmEntry } from '../../../../infra/build/programs.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import type { LabProcess } from '../../../../infra/lab/lab-process.ts'
import { sharedLab, sharedScratch } from '../../../../infra/lab/shared.ts'
import { freePort } from '../../../../infra/lib/free-port.ts'
import { actionEnd, connectAgent, nextActionId, testToken, until } from './agent-harness.ts'

/** The lab's CPU is emulated, and the machine under it may be busy. */
export const slow = 300_000

export class AgentInLab {
  readonly lab: Lab
  /** Seen on both sides. */
  readonly folder: string
  /** Its image store: one in `folder`, unless another one is given. */
  readonly images: string
  readonly state: string
  readonly runDir: string
  /** Where it is reached from outside. */
  readonly port: number
  readonly #guestPort: number
  #connection!: ReturnType<typeof connectAgent>
  #process!: LabProcess
  #log = ''

  private constructor(
    lab: Lab,
    port: number,
    options: { name: string; guestPort: number; state: string; images?: string },
  ) {
    this.lab = lab
    this.port = port
    this.#guestPort = options.guestPort
    this.state = options.state
    this.runDir = `/run/${options.name}`
    this.folder = join(sharedScratch(), options.name)
    this.images = options.images ?? join(this.folder, 'images')
  }

  /** Not started yet: its store may want images first. */
  static async prepare(options: {
    name: string
    guestPort: number
    state: string
    images?: string
  }): Promise<AgentInLab> {
    await buildPrograms()
    const lab = await sharedLab()
    const port = await freePort()
    const agent = new AgentInLab(lab, port, options)
    await mkdir(join(agent.folder, 'images'), { recursive: true })
    await writeFile(join(agent.folder, 'token'), testToken)
    await lab.forward(port, options.guestPort)
    return agent
  }

  get client() {
    return this.#connection.client
  }

  async start(): Promise<void> {
    this.#log = ''
    const token = join(this.folder, 'token')
    this.#process = this.lab.spawn(
      process.execPath,
      [
        ...[agentEntry, '--state', this.state, '--images', this.images, '--run-dir', this.runDir],
        ...['--listen', `0.0.0.0:${this.#guestPort}`, '--token-file', token],
        ...['--builder', 'http://10.0.2.2:9', '--builder-token-file', token],
        ...['--kind', 'lab', '--vmm', vmmEntry],
      ],
      {
        onStderr: (chunk) => {
          this.#log += chunk.toString()
        },
      },
    )
    await until('the agent in the lab', () => / agent is up /.test(this.#log), slow).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${this.#log}`)
      },
    )
    this.#connection = connectAgent(this.port)
  }

  async kill(): Promise<void> {
    await this.#connection.close()
    this.#process.kill('SIGKILL')
    assert.equal((await this.#process.exit).signal, 'SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#connection?.close()
    await this.#process?.stop()
  }

  /** What a command in the lab says. */
  async run(command: string): Promise<string> {
    return (await this.lab.run('sh', ['-c', command], { timeoutMs: slow })).stdout.trim()
  }

  /** Waits for the end of what `begin` has begun, which has to be a success. */
  async done(begin: (actionId: number) => Promise<unknown>, timeoutMs = slow): Promise<void> {
    const actionId = nextActionId()
    await begin(actionId)
    const report = await actionEnd(this, actionId, timeoutMs)
    assert.equal(report.status, 'success', JSON.stringify(report))
  }

  power(vmUid: string, op: 'start' | 'shutdown' | 'poweroff' | 'reset'): Promise<void> {
    return this.done((actionId) => this.client.vm.power.mutate({ actionId, vmUid, op }))
  }
}
