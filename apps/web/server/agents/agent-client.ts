/** One connection to a host's agent: tRPC over a WebSocket that carries the host's token and comes back by itself. */

import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AgentRouter } from '@hearth/agent/router'
import { type ActionReport, actionReportSchema } from '@hearth/shared/action'
import {
  type AgentEvent,
  agentEventSchema,
  type BackupTargetInput,
  powerOpSchema,
} from '@hearth/shared/agent-protocol'
import { type BackupTargetReport, backupSourceSchema, backupTargetReportSchema } from '@hearth/shared/backup'
import { errorReportSchema, HearthError } from '@hearth/shared/errors'
import { imageImportSchema, ownImageSchema } from '@hearth/shared/image'
import {
  type RecordingReport,
  type RecordingStartInput,
  recordingReportSchema,
} from '@hearth/shared/recording'
import { parseVmSpec } from '@hearth/shared/vm-spec'
import { createTRPCClient, createWSClient, TRPCClientError, type TRPCLink, wsLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import superjson from 'superjson'
import WebSocket from 'ws'
import { z } from 'zod'
import type { AgentRequest } from '../services/context.ts'

const requestTimeoutMs = 30_000
/** A part of an upload that brings nothing for this long is broken. */
const uploadSilenceMs = 60_000
const longestPauseMs = 5_000

export interface AgentEndpoint {
  /** `ws://…` of the agent, without a path. */
  readonly url: string
  readonly token: string
}

export interface AgentListener {
  event(event: AgentEvent): void
  /** The connection broke, or the event stream ended: what is known from here on may be old. */
  lost(reason: string): void
}

export class AgentClient {
  readonly #endpoint: AgentEndpoint
  readonly #listener: AgentListener
  readonly #socket: ReturnType<typeof createWSClient>
  readonly #trpc: ReturnType<typeof createTRPCClient<AgentRouter>>
  #subscription: { unsubscribe(): void } | null = null
  #again: NodeJS.Timeout | null = null
  #closed = false
  /** A call after `close` would open the connection again, and nobody would close it. */
  readonly #untilClosed: TRPCLink<AgentRouter> =
    () =>
    ({ op, next }) =>
      this.#closed
        ? observable((observer) =>
            observer.error(new TRPCClientError('the connection to the host is closed')),
          )
        : next(op)

  constructor(endpoint: AgentEndpoint, listener: AgentListener) {
    this.#endpoint = endpoint
    this.#listener = listener
    const headers = { authorization: `Bearer ${endpoint.token}` }
    class AuthorizedWebSocket extends WebSocket {
      constructor(address: string | URL) {
        super(address, { headers, handshakeTimeout: 5_000, maxPayload: 32 * 1024 * 1024 })
        // tRPC listens through the DOM's interface; an error without a listener here would end the process.
        this.on('error', () => {})
      }
    }
    this.#socket = createWSClient({
      url: `${endpoint.url}/trpc`,
      WebSocket: AuthorizedWebSocket as unknown as typeof globalThis.WebSocket,
      retryDelayMs: (attempt) => Math.min(200 * 2 ** attempt, longestPauseMs),
      keepAlive: { enabled: true, intervalMs: 5_000, pongTimeoutMs: 5_000 },
      onClose: (cause) => listener.lost(`the connection was closed (${cause?.code ?? 'no code'})`),
    })
    this.#trpc = createTRPCClient<AgentRouter>({
      links: [this.#untilClosed, wsLink<AgentRouter>({ client: this.#socket, transformer: superjson })],
    })
    this.#subscribe()
  }

  /** Asks for what an action needs. A HearthError is the host's own refusal; anything else is the link's trouble. */
  async send(actionId: number, request: AgentRequest): Promise<ActionReport> {
    const options = { signal: AbortSignal.timeout(requestTimeoutMs) }
    const { vm, image, volume, backup } = this.#trpc
    const ask = (): Promise<unknown> => {
      switch (request.kind) {
        case 'create':
          return vm.create.mutate(
            {
              actionId,
              spec: parseVmSpec(request.spec),
              start: request.start,
              ...(request.snapshotUid === undefined ? {} : { snapshotUid: request.snapshotUid }),
              ...(request.backup ? { backup: backupSourceSchema.parse(request.backup) } : {}),
            },
            options,
          )
        case 'power':
          return vm.power.mutate(
            { actionId, vmUid: request.vmUid, op: powerOpSchema.parse(request.op) },
            options,
          )
        case 'update':
          return vm.update.mutate({ actionId, spec: parseVmSpec(request.spec) }, options)
        case 'rebuild':
          return vm.rebuild.mutate(
            { actionId, spec: parseVmSpec(request.spec), start: request.start },
            options,
          )
        case 'snapshot':
          return vm.snapshot.mutate(
            { actionId, vmUid: request.vmUid, snapshotUid: request.snapshotUid },
            options,
          )
        case 'restore':
          return vm.restore.mutate(
            { actionId, vmUid: request.vmUid, snapshotUid: request.snapshotUid },
            options,
          )
        case 'delete_snapshot':
          return vm.deleteSnapshot.mutate(
            { actionId, vmUid: request.vmUid, snapshotUid: request.snapshotUid },
            options,
          )
        case 'backup':
          return backup.take.mutate({ actionId, vmUid: request.vmUid, backupUid: request.backupUid }, options)
        case 'restore_backup':
          return backup.restore.mutate(
            { actionId, vmUid: request.vmUid, backupUid: request.backupUid },
            options,
          )
        case 'verify_backup':
          return backup.verify.mutate({ actionId, backupUid: request.backupUid }, options)
        case 'delete_backup':
          return backup.delete.mutate({ actionId, backupUid: request.backupUid }, options)
        case 'create_volume': {
          const { volumeUid, bytes, format, attach } = request
          const input = { actionId, volumeUid, bytes, format }
          return volume.create.mutate(
            attach === undefined ? input : { ...input, attach: parseVmSpec(attach) },
            options,
          )
        }
        case 'grow_volume':
          return volume.grow.mutate({ actionId, volumeUid: request.volumeUid, bytes: request.bytes }, options)
        case 'delete_volume':
          return volume.delete.mutate({ actionId, volumeUid: request.volumeUid }, options)
        case 'delete':
          return vm.delete.mutate({ actionId, vmUid: request.vmUid }, options)
        case 'build':
          return image.build.mutate({ actionId, imageUid: request.imageUid }, options)
        case 'import':
          return image.import.mutate({ actionId, ...imageImportSchema.parse(request.import) }, options)
        case 'create_image':
          return image.create.mutate(
            { actionId, vmUid: request.vmUid, image: ownImageSchema.parse(request.image) },
            options,
          )
        case 'delete_image':
          return image.delete.mutate({ actionId, imageUid: request.imageUid }, options)
      }
    }
    return actionReportSchema.parse(await refusalsAsErrors(ask))
  }

  /** What the host found in the folder, which it also tells as an event. */
  async setBackupTarget(target: BackupTargetInput): Promise<BackupTargetReport | null> {
    const answer = await refusalsAsErrors(() =>
      this.#trpc.backup.setTarget.mutate(target, { signal: AbortSignal.timeout(requestTimeoutMs) }),
    )
    return backupTargetReportSchema.nullable().parse(answer)
  }

  async getAction(actionId: number): Promise<ActionReport | null> {
    const answer = await refusalsAsErrors(() =>
      this.#trpc.action.get.query({ actionId }, { signal: AbortSignal.timeout(requestTimeoutMs) }),
    )
    return actionReportSchema.nullable().parse(answer)
  }

  /** Asks a running action to stop; it ends by itself. */
  async cancel(actionId: number): Promise<void> {
    await refusalsAsErrors(() =>
      this.#trpc.action.cancel.mutate({ actionId }, { signal: AbortSignal.timeout(requestTimeoutMs) }),
    )
  }

  /** One request of an upload: the caller pipes the body in and the answer out. */
  openUpload(uploadUid: string, method: string, headers: Record<string, string>): ClientRequest {
    return httpRequest(`${this.#endpoint.url.replace(/^ws/, 'http')}/uploads/${uploadUid}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${this.#endpoint.token}` },
      timeout: uploadSilenceMs,
    })
  }

  async uploadOffset(uploadUid: string): Promise<number> {
    const { status, headers } = await this.#uploadRequest(uploadUid, 'HEAD')
    const offset = Number(headers['upload-offset'])
    if (status !== 200 || !Number.isSafeInteger(offset)) throw uploadsAway()
    return offset
  }

  async dropUpload(uploadUid: string): Promise<void> {
    const { status } = await this.#uploadRequest(uploadUid, 'DELETE')
    if (status !== 204) throw uploadsAway()
  }

  async #uploadRequest(uploadUid: string, method: 'HEAD' | 'DELETE') {
    const request = this.openUpload(uploadUid, method, {})
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve)
      request.once('error', reject)
      request.once('timeout', () => request.destroy(new Error('the host does not answer')))
      request.end()
    }).catch((cause: unknown) => {
      throw uploadsAway(cause)
    })
    response.resume()
    return { status: response.statusCode ?? 0, headers: response.headers }
  }

  /** The host's end of a console: `path` is below `/vms/<vmUid>/`. */
  openConsole(vmUid: string, path: string): WebSocket {
    return new WebSocket(`${this.#endpoint.url}/vms/${vmUid}/${path}`, {
      headers: { authorization: `Bearer ${this.#endpoint.token}` },
      handshakeTimeout: 5_000,
      maxPayload: 4 * 1024 * 1024,
      perMessageDeflate: false,
    })
  }

  async recordings(): Promise<RecordingReport[]> {
    const { recording } = this.#trpc
    const options = { signal: AbortSignal.timeout(requestTimeoutMs) }
    return z
      .array(recordingReportSchema)
      .parse(await refusalsAsErrors(() => recording.list.query(undefined, options)))
  }

  async startRecording(input: RecordingStartInput): Promise<RecordingReport> {
    const options = { signal: AbortSignal.timeout(requestTimeoutMs) }
    const ask = () => this.#trpc.recording.start.mutate(input, options)
    return recordingReportSchema.parse(await refusalsAsErrors(ask))
  }

  async stopRecording(recordingUid: string): Promise<RecordingReport> {
    const options = { signal: AbortSignal.timeout(requestTimeoutMs) }
    const ask = () => this.#trpc.recording.stop.mutate({ recordingUid }, options)
    return recordingReportSchema.parse(await refusalsAsErrors(ask))
  }

  async deleteRecording(recordingUid: string): Promise<void> {
    const options = { signal: AbortSignal.timeout(requestTimeoutMs) }
    await refusalsAsErrors(() => this.#trpc.recording.delete.mutate({ recordingUid }, options))
  }

  /** A recording's file, as the host answers it; `signal` ends it. */
  recordingData(recordingUid: string, signal: AbortSignal): Promise<Response> {
    return fetch(`${this.#endpoint.url.replace(/^ws/, 'http')}/recordings/${recordingUid}/data`, {
      headers: { authorization: `Bearer ${this.#endpoint.token}` },
      signal,
    })
  }

  /** A small picture of a VM's screen, as the host answers it. */
  screenPicture(
    vmUid: string,
    options: { width: number; ifNoneMatch: string | undefined },
  ): Promise<Response> {
    const base = this.#endpoint.url.replace(/^ws/, 'http')
    return fetch(`${base}/vms/${vmUid}/screen.jpg?width=${options.width}`, {
      headers: {
        authorization: `Bearer ${this.#endpoint.token}`,
        ...(options.ifNoneMatch === undefined ? {} : { 'if-none-match': options.ifNoneMatch }),
      },
      signal: AbortSignal.timeout(5_000),
    })
  }

  /** Begins the event stream anew, with a fresh snapshot. */
  resubscribe(): void {
    this.#subscription?.unsubscribe()
    this.#subscription = null
    this.#subscribe()
  }

  close(): void {
    this.#closed = true
    if (this.#again) clearTimeout(this.#again)
    this.#subscription?.unsubscribe()
    this.#socket.close()
  }

  #subscribe(): void {
    if (this.#closed) return
    // A broken connection is mended beneath the subscription, which then begins with a snapshot again.
    const subscription: { unsubscribe(): void } = this.#trpc.events.subscribe(undefined, {
      onData: (data) => {
        const parsed = agentEventSchema.safeParse(data)
        if (parsed.success) this.#listener.event(parsed.data)
        else this.#ended(subscription, `an event could not be read: ${z.prettifyError(parsed.error)}`)
      },
      onError: (error) => this.#ended(subscription, error.message),
      onComplete: () => this.#ended(subscription, 'the event stream ended'),
    })
    this.#subscription = subscription
  }

  #ended(subscription: { unsubscribe(): void }, reason: string): void {
    if (this.#closed || this.#subscription !== subscription) return
    this.#subscription = null
    subscription.unsubscribe()
    this.#listener.lost(reason)
    this.#again = setTimeout(() => this.#subscribe(), 1_000)
  }
}

function uploadsAway(cause?: unknown): HearthError {
  return new HearthError('host_unavailable', 'The host does not answer. Try again in a moment.', { cause })
}

const refusalSchema = z.object({ hearth: errorReportSchema })

async function refusalsAsErrors<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    const refusal = error instanceof TRPCClientError ? refusalSchema.safeParse(error.data) : undefined
    if (refusal?.success)
      throw new HearthError(refusal.data.hearth.code, refusal.data.hearth.message, { cause: error })
    throw error
  }
}
