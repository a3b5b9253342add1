/**
 * A small agent in this process, for the faults the real one cannot be made to have: it accepts actions and ends
 * them only when told, goes away and comes back on the same port, refuses, forgets. Real HTTP, WebSocket and tRPC.
 */
import { createReadStream } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ActionCommand, ActionReport } from '@hearth/shared/action'
import {
  type AgentEvent,
  actionGetInputSchema,
  type HostInfo,
  imageBuildInputSchema,
  imageCreateInputSchema,
  imageDeleteInputSchema,
  imageImportInputSchema,
  type VmReport,
  vmCreateInputSchema,
  vmPowerInputSchema,
  vmRefInputSchema,
  vmSnapshotInputSchema,
  vmUpdateInputSchema,
  volumeCreateInputSchema,
  volumeGrowInputSchema,
  volumeRefInputSchema,
} from '@hearth/shared/agent-protocol'
import { type ErrorReport, errorReport, HearthError } from '@hearth/shared/errors'
import type { ImageReport } from '@hearth/shared/image'
import {
  type RecordingReport,
  type RecordingStartInput,
  recordingRefInputSchema,
  recordingStartInputSchema,
} from '@hearth/shared/recording'
import type { VmSnapshotReport } from '@hearth/shared/snapshot'
import { GIB, MIB } from '@hearth/shared/units'
import type { VolumeReport } from '@hearth/shared/volume'
import { initTRPC, TRPCError } from '@trpc/server'
import { getWSConnectionHandler } from '@trpc/server/adapters/ws'
import superjson from 'superjson'
import { type WebSocket, WebSocketServer } from 'ws'

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
  readonly actions = new Map<number, ActionReport>()
  /** Bytes of each upload. */
  readonly uploads = new Map<string, number>()
  readonly snapshots = new Map<string, VmSnapshotReport>()
  readonly volumes = new Map<string, VolumeReport>()
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
  screenPicture: Buffer | null = null
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
    const handle = getWSConnectionHandler({ wss: control, router: this.#router() })
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

  async #accept(
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

  #require(vmUid: string): void {
    if (!this.vms.has(vmUid)) throw new HearthError('not_found', 'This host has no such VM.')
  }

  #setVolume(volume: VolumeReport): void {
    this.volumes.set(volume.volumeUid, volume)
    this.emit({ type: 'volume', volume })
  }

  #requireSnapshot(snapshotUid: string): void {
    if (!this.snapshots.has(snapshotUid))
      throw new HearthError('not_found', 'This host has no such snapshot.')
  }

  #router() {
    const t = initTRPC.create({
      transformer: superjson,
      isDev: false,
      errorFormatter: ({ shape, error }) => ({
        ...shape,
        data: { ...shape.data, hearth: errorReport(error.cause) },
      }),
    })
    const refusing = async (work: () => Promise<ActionReport>) => {
      try {
        return await work()
      } catch (cause) {
        throw new TRPCError({ code: 'BAD_REQUEST', cause })
      }
    }
    const { vms } = this
    return t.router({
      vm: t.router({
        create: t.procedure.input(vmCreateInputSchema).mutation(({ input }) =>
          refusing(() =>
            this.#accept('vm.create', 'create_vm', input, { vmUid: input.spec.vmUid }, () => {
              const { vmUid, name, generation, cpus, memoryBytes, diskBytes } = input.spec
              const at = now()
              const vm: VmReport = {
                ...{ vmUid, name, generation, cpus, memoryBytes },
                state: 'creating',
                since: at,
                exitReason: null,
                panicked: false,
                addresses: [],
                diskBytes: diskBytes ?? null,
                diskUsedBytes: 0,
                observedAt: at,
              }
              vms.set(vmUid, vm)
              this.emit({ type: 'vm', vm })
            }),
          ),
        ),
        power: t.procedure.input(vmPowerInputSchema).mutation(({ input }) =>
          refusing(async () => {
            this.#require(input.vmUid)
            return this.#accept('vm.power', `${input.op}_vm`, input, { vmUid: input.vmUid })
          }),
        ),
        update: t.procedure
          .input(vmUpdateInputSchema)
          .mutation(({ input }) =>
            refusing(() => this.#accept('vm.update', 'update_vm', input, { vmUid: input.spec.vmUid })),
          ),
        snapshot: t.procedure.input(vmSnapshotInputSchema).mutation(({ input }) =>
          refusing(async () => {
            this.#require(input.vmUid)
            return this.#accept('vm.snapshot', 'snapshot_vm', input, { vmUid: input.vmUid }, () => {
              const { snapshotUid, vmUid } = input
              const running = vms.get(vmUid)?.state === 'running'
              const snapshot: VmSnapshotReport = {
                ...{ snapshotUid, vmUid, diskBytes: 1 * GIB, storedBytes: 64 * MIB, takenAt: now() },
                consistency: running ? 'paused' : 'stopped',
              }
              this.snapshots.set(snapshotUid, snapshot)
              this.emit({ type: 'vm_snapshot', snapshot })
            })
          }),
        ),
        restore: t.procedure.input(vmSnapshotInputSchema).mutation(({ input }) =>
          refusing(async () => {
            this.#requireSnapshot(input.snapshotUid)
            return this.#accept('vm.restore', 'restore_vm', input, { vmUid: input.vmUid })
          }),
        ),
        deleteSnapshot: t.procedure.input(vmSnapshotInputSchema).mutation(({ input }) =>
          refusing(async () => {
            this.#requireSnapshot(input.snapshotUid)
            return this.#accept('vm.deleteSnapshot', 'delete_snapshot', input, { vmUid: input.vmUid }, () => {
              this.snapshots.delete(input.snapshotUid)
              this.emit({ type: 'vm_snapshot_removed', snapshotUid: input.snapshotUid })
            })
          }),
        ),
        delete: t.procedure.input(vmRefInputSchema).mutation(({ input }) =>
          refusing(async () => {
            this.#require(input.vmUid)
            return this.#accept('vm.delete', 'delete_vm', input, { vmUid: input.vmUid })
          }),
        ),
      }),
      volume: t.router({
        create: t.procedure.input(volumeCreateInputSchema).mutation(({ input }) =>
          refusing(() => {
            const { volumeUid, bytes, attach } = input
            return this.#accept(
              'volume.create',
              'create_volume',
              input,
              attach ? { vmUid: attach.vmUid } : {},
              () => this.#setVolume({ volumeUid, bytes, storedBytes: 64 * MIB }),
            )
          }),
        ),
        grow: t.procedure.input(volumeGrowInputSchema).mutation(({ input }) =>
          refusing(() => {
            const { volumeUid, bytes } = input
            return this.#accept('volume.grow', 'resize_volume', input, {}, () =>
              this.#setVolume({ volumeUid, bytes, storedBytes: 64 * MIB }),
            )
          }),
        ),
        delete: t.procedure.input(volumeRefInputSchema).mutation(({ input }) =>
          refusing(() =>
            this.#accept('volume.delete', 'delete_volume', input, {}, () => {
              this.volumes.delete(input.volumeUid)
              this.emit({ type: 'volume_removed', volumeUid: input.volumeUid })
            }),
          ),
        ),
      }),
      image: t.router({
        build: t.procedure
          .input(imageBuildInputSchema)
          .mutation(({ input }) =>
            refusing(() => this.#accept('image.build', 'build_image', input, { imageUid: input.imageUid })),
          ),
        import: t.procedure
          .input(imageImportInputSchema)
          .mutation(({ input }) =>
            refusing(() =>
              this.#accept('image.import', 'import_image', input, { imageUid: input.image.imageUid }),
            ),
          ),
        create: t.procedure.input(imageCreateInputSchema).mutation(({ input }) =>
          refusing(() =>
            this.#accept('image.create', 'create_image', input, {
              ...{ imageUid: input.image.imageUid, vmUid: input.vmUid },
            }),
          ),
        ),
        delete: t.procedure
          .input(imageDeleteInputSchema)
          .mutation(({ input }) =>
            refusing(() => this.#accept('image.delete', 'delete_image', input, { imageUid: input.imageUid })),
          ),
      }),
      recording: t.router({
        list: t.procedure.query(() => this.recordings?.list() ?? []),
        start: t.procedure.input(recordingStartInputSchema).mutation(({ input }) => {
          if (!this.recordings) throw new TRPCError({ code: 'NOT_FOUND' })
          return this.recordings.start(input)
        }),
        stop: t.procedure.input(recordingRefInputSchema).mutation(({ input }) => {
          if (!this.recordings) throw new TRPCError({ code: 'NOT_FOUND' })
          return this.recordings.stop(input.recordingUid)
        }),
        delete: t.procedure
          .input(recordingRefInputSchema)
          .mutation(({ input }) => this.recordings?.remove(input.recordingUid)),
      }),
      action: t.router({
        get: t.procedure
          .input(actionGetInputSchema)
          .query(({ input }) => this.actions.get(input.actionId) ?? null),
        cancel: t.procedure.input(actionGetInputSchema).mutation(({ input }) => {
          this.asked.push({ path: 'action.cancel', actionId: input.actionId, input })
          const { command, vmUid } = this.actions.get(input.actionId) ?? {}
          if (command === 'create_vm' && vmUid && vms.delete(vmUid)) this.emit({ type: 'vm_removed', vmUid })
          this.finish(input.actionId, { code: 'cancelled', message: 'This was cancelled.' })
          return this.actions.get(input.actionId) ?? null
        }),
      }),
      events: t.procedure.subscription(({ signal }) => this.#events(signal ?? new AbortController().signal)),
    })
  }

  async *#events(signal: AbortSignal): AsyncGenerator<AgentEvent, void, void> {
    const queue: AgentEvent[] = [
      {
        type: 'snapshot',
        host: this.host,
        vms: [...this.vms.values()],
        images: this.images,
        vmSnapshots: [...this.snapshots.values()],
        volumes: [...this.volumes.values()],
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
