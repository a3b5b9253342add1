/**
 * A small agent in this process, for the faults the real one cannot be made to have: it accepts actions and ends
 * them only when told, goes away and comes back on the same port, refuses, forgets. Real HTTP, WebSocket and tRPC.
 */
import { createReadStream } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ActionCommand, ActionReport } from '@hearth/shared/action'
import type { AgentEvent, HostInfo, VmReport } from '@hearth/shared/agent-protocol'
import type { BackupReport, BackupTargetReport } from '@hearth/shared/backup'
import { type ErrorReport, HearthError } from '@hearth/shared/errors'
import type { ImageReport } from '@hearth/shared/image'
import type { RecordingReport, RecordingStartInput } from '@hearth/shared/recording'
import type { VmSnapshotReport } from '@hearth/shared/snapshot'
import { GIB, MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { VolumeReport } from '@hearth/shared/volume'
import { getWSConnectionHandler } from '@trpc/server/adapters/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { fakeAgentRouter } from './fake-agent-router.ts'

export const agentToken = 'token-of-the-fake-agent'

const now = () => new Date().toISOString()

const info = (): HostInfo => ({
  protocol: 1,
  version: '0.1.0',
  hostname: 'fakebox',
  kind: 'lab',
  kernel: '6.1.0',
  cpuModel: 'Fake CPU',
  cpus: 4,
  memoryBytes: 8 * GIB,
  memoryAvailableBytes: 6 * GIB,
  diskBytes: 100 * GIB,
  diskAvailableBytes: 80 * GIB,
  network: 'nat',
  addresses: ['192.168.1.20'],
  bridges: ['br0'],
  folders: [
    { name: 'music', writable: false },
    { name: 'work', writable: true },
  ],
  bootedAt: now(),
})

const image = (imageUid: string, more: Partial<ImageReport>): ImageReport => ({
  imageUid,
  name: imageUid,
  description: '',
  recipeHash: 'hash',
  ...{ kind: 'disk', source: 'build', boot: 'direct', version: '', origin: '', downloadBytes: 0 },
  ...{ sha256: null, diskBytes: null, transfer: null },
  cloudInit: false,
  loginUser: null,
  minMemoryBytes: 64 * MIB,
  minDiskBytes: 0,
  status: 'ready',
  progress: 100,
  step: '',
  error: null,
  storedBytes: 10 * MIB,
  ...more,
})

/** Recordings as the agent keeps them; a test that wants some hands over the agent's own. */
export interface FakeRecordings {
  list(): RecordingReport[]
  start(input: RecordingStartInput): Promise<RecordingReport>
  stop(recordingUid: string): Promise<RecordingReport>
  remove(recordingUid: string): Promise<void>
  file(recordingUid: string): string
}

export class FakeAgent {
  recordings: FakeRecordings | null = null
  readonly vms = new Map<string, VmReport>()
  /** What it says of its box; a change is told with the next connection or a `host` event. */
  host: HostInfo = info()
  readonly images: ImageReport[] = [
    image('tiny-linux', { name: 'Tiny Linux' }),
    image('debian-12', {
      name: 'Debian 12',
      cloudInit: true,
      loginUser: 'debian',
      minMemoryBytes: 512 * MIB,
      minDiskBytes: 2 * GIB,
    }),
    image('absent-1', { name: 'Absent', status: 'absent', progress: 0, storedBytes: 0 }),
  ]
  /** The last specification of each VM that was created or changed. */
  readonly specs = new Map<string, VmSpec>()
  readonly actions = new Map<number, ActionReport>()
  /** Bytes of each upload. */
  readonly uploads = new Map<string, number>()
  readonly snapshots = new Map<string, VmSnapshotReport>()
  readonly volumes = new Map<string, VolumeReport>()
  readonly backups = new Map<string, BackupReport>()
  backupTarget: BackupTargetReport | null = null
  /** Every mutation that arrived, repeated ones too. */
  readonly asked: { path: string; actionId: number; input: unknown }[] = []
  /** Thrown at the next mutation. */
  refusal: HearthError | null = null
  /** Thrown at every mutation. */
  refuse: (() => HearthError) | null = null
  /** Whether mutations are answered at all. */
  silent = false
  /** Called with each viewer of a serial console. */
  onSerial: (socket: WebSocket, vmUid: string) => void = (socket) => socket.close(4404)
  /** What a VM's screen looks like; null: there is none. */
  /** `busy`: its VM does not answer in time. */
  screenPicture: Buffer | 'busy' | null = null
  /** Called with each viewer of a screen and the query it came with. */
  onDisplay: (socket: WebSocket, query: URLSearchParams) => void = (socket) => socket.close(4404)
  readonly #listeners = new Set<(event: AgentEvent) => void>()
  #server: Server | null = null
  #sockets: WebSocketServer[] = []
  #port = 0

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  /** Listens; on the port it had before, if any. */
  async start(): Promise<void> {
    const control = new WebSocketServer({ noServer: true })
    const serial = new WebSocketServer({ noServer: true, perMessageDeflate: false })
    const handle = getWSConnectionHandler({ wss: control, router: fakeAgentRouter(this) })
    const server = createServer((request, response) => {
      const upload = /^\/uploads\/([^/]+)$/.exec(request.url ?? '')?.[1]
      if (upload !== undefined) {
        this.#upload(upload, request, response)
        return
      }
      const recording = /^\/recordings\/([^/]+)\/data$/.exec(request.url ?? '')?.[1]
      if (recording !== undefined && this.recordings) {
        createReadStream(this.recordings.file(recording))
          .on('error', () => response.writeHead(404).end())
          .pipe(response)
        return
      }
      const pictured = /^\/vms\/[^/]+\/screen\.jpg\?width=\d+$/.test(request.url ?? '')
      if (!pictured || this.screenPicture === null) response.writeHead(404).end()
      else if (this.screenPicture === 'busy') response.writeHead(503).end()
      else if (request.headers['if-none-match'] === '"one"') response.writeHead(304, { etag: '"one"' }).end()
      else response.writeHead(200, { etag: '"one"' }).end(this.screenPicture)
    })
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy())
      if (request.headers.authorization !== `Bearer ${agentToken}`) {
        socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
        return
      }
      const url = new URL(request.url ?? '/', 'http://agent')
      const [, vmUid, kind] = /^\/vms\/([^/]+)\/(serial|display)$/.exec(url.pathname) ?? []
      if (vmUid)
        serial.handleUpgrade(request, socket, head, (client) => {
          if (kind === 'serial') this.onSerial(client, vmUid)
          else this.onDisplay(client, url.searchParams)
        })
      else control.handleUpgrade(request, socket, head, (client) => handle(client, request))
    })
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    const address = server.address()
    this.#port = typeof address === 'object' && address ? address.port : 0
    this.#server = server
    this.#sockets = [control, serial]
  }

  /** As kill -9: connections break, nothing is said. What it has stays for the next start. */
  async stop(): Promise<void> {
    for (const sockets of this.#sockets) for (const client of sockets.clients) client.terminate()
    this.#listeners.clear()
    await new Promise<void>((resolve) => {
      if (!this.#server) resolve()
      else this.#server.close(() => resolve())
      this.#server?.closeAllConnections()
    })
    this.#server = null
  }

  emit(event: AgentEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  setVm(vmUid: string, change: Partial<VmReport>): void {
    const before = this.vms.get(vmUid)
    if (!before) throw new Error('no such VM')
    const vm = { ...before, ...change, observedAt: now() }
    this.vms.set(vmUid, vm)
    this.emit({ type: 'vm', vm })
  }

  progress(actionId: number, progress: number, step: string): void {
    this.#change(actionId, { progress, step })
  }

  finish(actionId: number, error: ErrorReport | null = null): void {
    const done = error ? {} : { progress: 100 }
    this.#change(actionId, { status: error ? 'error' : 'success', error, finishedAt: now(), ...done })
  }

  #change(actionId: number, change: Partial<ActionReport>): void {
    const before = this.actions.get(actionId)
    if (!before) throw new Error(`no action ${actionId}`)
    const action = { ...before, ...change }
    this.actions.set(actionId, action)
    this.emit({ type: 'action', action })
  }

  /** Journals the call, refuses it if it is to be refused, and begins an action; the same id again is the same action. */
  async accept(
    path: string,
    command: ActionCommand,
    input: { actionId: number },
    subject: { vmUid?: string; imageUid?: string },
    apply: () => void = () => {},
  ): Promise<ActionReport> {
    this.asked.push({ path, actionId: input.actionId, input })
    if (this.silent) await new Promise(() => {})
    if (this.refuse) throw this.refuse()
    if (this.refusal) {
      const { refusal } = this
      this.refusal = null
      throw refusal
    }
    const seen = this.actions.get(input.actionId)
    if (seen) return seen
    apply()
    const action: ActionReport = {
      actionId: input.actionId,
      command,
      status: 'running',
      progress: 1,
      step: 'Working',
      error: null,
      startedAt: now(),
      finishedAt: null,
      vmUid: subject.vmUid ?? null,
      imageUid: subject.imageUid ?? null,
    }
    this.actions.set(action.actionId, action)
    this.emit({ type: 'action', action })
    return action
  }

  /** As the real one: appends at the offset it has, and says where it stands. */
  #upload(uid: string, request: IncomingMessage, response: ServerResponse): void {
    let here = this.uploads.get(uid) ?? 0
    const answer = (status: number) => response.writeHead(status, { 'upload-offset': here }).end()
    if (request.method === 'DELETE') this.uploads.delete(uid)
    if (request.method !== 'PATCH') {
      answer(request.method === 'DELETE' ? 204 : 200)
      return
    }
    if (Number(request.headers['upload-offset']) !== here) {
      request.resume()
      answer(409)
      return
    }
    request.on('data', (chunk: Buffer) => {
      here += chunk.length
    })
    request.on('end', () => {
      this.uploads.set(uid, here)
      answer(204)
    })
  }

  require(vmUid: string): void {
    if (!this.vms.has(vmUid)) throw new HearthError('not_found', 'This host has no such VM.')
  }

  setVolume(volume: VolumeReport): void {
    this.volumes.set(volume.volumeUid, volume)
    this.emit({ type: 'volume', volume })
  }

  setBackupTarget(target: BackupTargetReport | null): void {
    this.backupTarget = target
    this.emit({ type: 'backup_target', target })
  }

  setBackup(backup: BackupReport): void {
    this.backups.set(backup.backupUid, backup)
    this.emit({ type: 'backup', backup })
  }

  requireSnapshot(snapshotUid: string): void {
    if (!this.snapshots.has(snapshotUid))
      throw new HearthError('not_found', 'This host has no such snapshot.')
  }

  /** What a subscriber is told: everything there is, then every change. */
  async *events(signal: AbortSignal): AsyncGenerator<AgentEvent, void, void> {
    const queue: AgentEvent[] = [
      {
        type: 'snapshot',
        host: this.host,
        vms: [...this.vms.values()],
        images: this.images,
        vmSnapshots: [...this.snapshots.values()],
        volumes: [...this.volumes.values()],
        backupTarget: this.backupTarget,
        backups: [...this.backups.values()],
        actions: [...this.actions.values()],
      },
    ]
    let wake = () => {}
    const listener = (event: AgentEvent) => {
      queue.push(event)
      wake()
    }
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => wake())
    try {
      while (!signal.aborted) {
        const event = queue.shift()
        if (event) yield event
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      this.#listeners.delete(listener)
    }
  }
}
