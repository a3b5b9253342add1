/**
 * For tests: the real agent program with a folder of its own, a small image store and image builder, and a
 * client that speaks to it as the portal does.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ActionReport } from '@hearth/shared/action'
import {
  type AgentEvent,
  type ConsoleNotice,
  consoleNoticeSchema,
  type DisplayNotice,
  displayNoticeSchema,
  type VmReport,
  type VmState,
} from '@hearth/shared/agent-protocol'
import { MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { createTRPCClient, createWSClient, type TRPCClient, wsLink } from '@trpc/client'
import superjson from 'superjson'
import { WebSocket } from 'ws'
import type { AgentRouter } from '../router.ts'

export const testToken = 'test-token-0123456789abcdef'

const agentProgram = fileURLToPath(new URL('../main.ts', import.meta.url))
const standIn = fileURLToPath(new URL('./stand-in-vmm.ts', import.meta.url))

export interface TestImage {
  imageUid: string
  cmdline?: string
  diskBytes?: number
  cloudInit?: boolean
}

/** Folders of one test: state, image store, run directory and tokens. */
export class TestBox {
  readonly root: string
  readonly state: string
  readonly images: string
  readonly runDir: string

  private constructor(root: string) {
    this.root = root
    this.state = join(root, 'state')
    this.images = join(root, 'images')
    this.runDir = join(root, 'run')
  }

  static async create(): Promise<TestBox> {
    const box = new TestBox(await mkdtemp(join(tmpdir(), 'hearth-agent-')))
    await mkdir(box.images)
    await writeFile(join(box.root, 'token'), `${testToken}\n`, { mode: 0o600 })
    return box
  }

  async addImage(image: TestImage): Promise<void> {
    const folder = join(this.images, image.imageUid)
    await mkdir(folder)
    await writeFile(join(folder, 'vmlinuz'), 'kernel')
    await writeFile(join(folder, 'initrd'), 'initrd')
    if (image.diskBytes !== undefined) {
      await writeFile(join(folder, 'disk.raw'), 'the image')
      await truncate(join(folder, 'disk.raw'), image.diskBytes)
    }
    await writeFile(
      join(folder, 'image.json'),
      JSON.stringify({
        v: 1,
        imageUid: image.imageUid,
        name: image.imageUid,
        description: 'for a test',
        recipeHash: 'hash1',
        builtAt: new Date().toISOString(),
        disk: image.diskBytes === undefined ? null : { file: 'disk.raw', bytes: image.diskBytes },
        kernel: 'vmlinuz',
        initrd: 'initrd',
        cmdline: image.cmdline ?? 'console=ttyS0',
        cloudInit: image.cloudInit ?? false,
        loginUser: image.cloudInit ? 'debian' : null,
        minMemoryBytes: 64 * MIB,
        minDiskBytes: 0,
      }),
    )
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }
}

export interface AgentProcess {
  readonly child: ChildProcess
  readonly port: number
  readonly client: TRPCClient<AgentRouter>
  /** What it logged. */
  log(): string
  /** Closes the client and sends the signal; resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

export async function startAgent(
  box: TestBox,
  options: { vmm?: string; builderUrl?: string; args?: string[] } = {},
): Promise<AgentProcess> {
  const args = [
    agentProgram,
    ...['--state', box.state, '--images', box.images, '--run-dir', box.runDir],
    ...['--listen', '127.0.0.1:0', '--token-file', join(box.root, 'token')],
    ...[
      '--builder',
      options.builderUrl ?? 'http://127.0.0.1:9',
      '--builder-token-file',
      join(box.root, 'token'),
    ],
    ...['--kind', 'kvm', '--vmm', options.vmm ?? standIn],
    ...(options.args ?? []),
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  await Promise.race([
    until('the agent to be up', () => / agent is up /.test(log)),
    exited.then((code) => {
      throw new Error(`the agent ended with code ${code}:\n${log}`)
    }),
  ])
  const port = Number(/listen=127\.0\.0\.1:(\d+)/.exec(log)?.[1])
  const { client, close } = connectAgent(port)
  return {
    child,
    port,
    client,
    log: () => log,
    async end(signal) {
      await close()
      child.kill(signal)
      return exited
    },
  }
}

/** A client as the portal's: it reconnects by itself. */
export function connectAgent(port: number): { client: TRPCClient<AgentRouter>; close: () => Promise<void> } {
  const ws = createWSClient({
    url: `ws://127.0.0.1:${port}/trpc`,
    WebSocket: authorizedWebSocket(testToken),
    retryDelayMs: () => 100,
  })
  return {
    client: createTRPCClient<AgentRouter>({ links: [wsLink({ client: ws, transformer: superjson })] }),
    close: async () => ws.close(),
  }
}

/** tRPC's client takes a class; headers are given by ours. */
function authorizedWebSocket(token: string): typeof globalThis.WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL) {
      super(url, { headers: { authorization: `Bearer ${token}` } })
    }
  } as unknown as typeof globalThis.WebSocket
}

let lastActionId = 0
export function nextActionId(): number {
  return ++lastActionId
}

export function testSpec(change: Partial<VmSpec> = {}): VmSpec {
  const vmUid = change.vmUid ?? randomUUID()
  return {
    v: 1,
    vmUid,
    generation: 1,
    name: `vm-${vmUid.slice(0, 8)}`,
    cpus: 1,
    memoryBytes: 64 * MIB,
    image: 'test',
    mac: `52:54:00:${vmUid.slice(0, 2)}:${vmUid.slice(2, 4)}:${vmUid.slice(4, 6)}`,
    startAtBoot: false,
    ...change,
  }
}

/**
 * Waits for a condition, however long the machine takes; only a real hang reaches the limit. A question that takes long is
 * asked rarely: in a lab it is answered by the CPU that what is waited for needs.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const asked = Date.now()
    const value = await condition()
    if (value) return value as NonNullable<T>
    const answered = Date.now()
    if (answered > deadline) throw new Error(`waited in vain for ${what}`)
    const pause = Math.min(500, Math.max(20, 10 * (answered - asked)))
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

export async function actionEnd(
  { client }: Pick<AgentProcess, 'client'>,
  actionId: number,
  timeoutMs?: number,
): Promise<ActionReport> {
  return until(
    `action ${actionId} to end`,
    async () => {
      const report = await client.action.get.query({ actionId })
      return report && report.status !== 'running' ? report : null
    },
    timeoutMs,
  )
}

export async function vmReport(
  { client }: Pick<AgentProcess, 'client'>,
  vmUid: string,
): Promise<VmReport | undefined> {
  return (await client.vm.list.query()).find((vm) => vm.vmUid === vmUid)
}

export async function untilState(
  agent: Pick<AgentProcess, 'client'>,
  vmUid: string,
  state: VmState,
  timeoutMs?: number,
): Promise<VmReport> {
  return until(
    `VM ${vmUid} to be ${state}`,
    async () => {
      const report = await vmReport(agent, vmUid)
      return report?.state === state ? report : null
    },
    timeoutMs,
  )
}

/** Events as they come, from the snapshot on. */
export function collectEvents(agent: Pick<AgentProcess, 'client'>): {
  events: AgentEvent[]
  stop: () => void
} {
  const events: AgentEvent[] = []
  const subscription = agent.client.events.subscribe(undefined, { onData: (event) => events.push(event) })
  return { events, stop: () => subscription.unsubscribe() }
}

export interface TestBuilder {
  url: string
  server: Server
}

/** A real HTTP server with the builder's paths; the handler plays the build. */
export function startBuilder(
  recipes: unknown[],
  build: (
    imageUid: string,
    attempt: number,
    send: (event: object) => void,
    end: (how: 'end' | 'break') => void,
  ) => void,
): Promise<TestBuilder & { attempts: () => number; close: () => Promise<void> }> {
  let attempts = 0
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${testToken}`) {
      response.writeHead(401).end()
      return
    }
    if (request.url === '/recipes') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(recipes))
      return
    }
    const imageUid = /^\/recipes\/([^/]+)\/build$/.exec(request.url ?? '')?.[1]
    if (!imageUid || request.method !== 'POST') {
      response.writeHead(404).end()
      return
    }
    attempts++
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    build(
      imageUid,
      attempts,
      (event) => response.write(`${JSON.stringify(event)}\n`),
      (how) => (how === 'end' ? response.end() : response.socket?.destroy()),
    )
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      resolve({
        url: `http://127.0.0.1:${port}`,
        server,
        attempts: () => attempts,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            server.closeAllConnections()
          }),
      })
    })
  })
}

export interface Viewer {
  socket: WebSocket
  /** Close code. */
  closed: Promise<number>
  text(): string
  notices(): ConsoleNotice[]
}

export interface DisplayViewerEnd {
  socket: WebSocket
  closed: Promise<number>
  text(): string
  notices(): DisplayNotice[]
}

export function openDisplay(
  port: number,
  vmUid: string,
  viewer: { id: string; name: string; input: boolean },
): DisplayViewerEnd {
  const query = new URLSearchParams({ id: viewer.id, name: viewer.name, input: viewer.input ? '1' : '0' })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/vms/${vmUid}/display?${query}`, {
    headers: { authorization: `Bearer ${testToken}` },
  })
  let text = ''
  const notices: DisplayNotice[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) text += data.toString('latin1')
    else notices.push(displayNoticeSchema.parse(JSON.parse(data.toString('utf8'))))
  })
  socket.on('error', () => undefined)
  const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)))
  return { socket, closed, text: () => text, notices: () => notices }
}

export function openConsole(port: number, vmUid: string, token: string = testToken): Viewer {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/vms/${vmUid}/serial`, {
    headers: { authorization: `Bearer ${token}` },
  })
  let text = ''
  const notices: ConsoleNotice[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) text += data.toString('latin1')
    else notices.push(consoleNoticeSchema.parse(JSON.parse(data.toString('utf8'))))
  })
  socket.on('error', () => undefined)
  const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)))
  return { socket, closed, text: () => text, notices: () => notices }
}
