/**
 * The portal's side of one host: keeps the observed columns up to date, carries actions to the host, and after a
 * break asks about every action that was under way, so that each goes on or ends.
 */
import type { ClientRequest } from 'node:http'
import { actionCommandSchema } from '@hearth/shared/action'
import type { AgentEvent, BackupTargetInput, VmReport } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type WebSocket from 'ws'
import type { Database } from '../db/client.ts'
import { errorText, type Log } from '../log.ts'
import { applyReport, failAction } from '../services/actions.ts'
import type { Changes } from '../services/changes.ts'
import type { AgentRequest, HostRecordings } from '../services/context.ts'
import { keepSample } from '../services/metrics-store.ts'
import { AgentClient, type AgentEndpoint } from './agent-client.ts'
import { observeAbsence, observeHost, observeImage, observeImageAbsence, observeVm } from './observe.ts'
import { observeBackup, observeBackupAbsence, observeBackupTarget } from './observe-backup.ts'
import { observeSnapshot, observeSnapshotAbsence } from './observe-snapshot.ts'
import { observeVolume, observeVolumeAbsence } from './observe-volume.ts'

/** A host whose connection holds but that answers nothing is asked again after this. */
const askAgainMs = 15_000

export class AgentLink {
  readonly #hostId: number
  readonly #db: Database
  readonly #changes: Changes
  readonly #log: Log
  readonly #client: AgentClient
  #online = false
  #closed = false
  /** Grows with every break, so that events queued before it do not count as news after it. */
  #epoch = 0
  #work: Promise<void> = Promise.resolve()
  readonly #sending = new Set<number>()
  readonly #strangers = new Map<string, string>()
  #askAgain: NodeJS.Timeout | null = null

  constructor(options: {
    hostId: number
    endpoint: AgentEndpoint
    db: Database
    changes: Changes
    log: Log
  }) {
    this.#hostId = options.hostId
    this.#db = options.db
    this.#changes = options.changes
    this.#log = options.log
    this.#client = new AgentClient(options.endpoint, {
      event: (event) => this.#enqueue(event),
      lost: (reason) => this.#lost(reason),
    })
  }

  get online(): boolean {
    return this.#online
  }

  get differences(): string[] {
    return [...this.#strangers.values()]
  }

  openConsole(vmUid: string, path: string): WebSocket {
    return this.#client.openConsole(vmUid, path)
  }

  screenPicture(...given: Parameters<AgentClient['screenPicture']>): Promise<Response> {
    return this.#client.screenPicture(...given)
  }

  /** What is asked of the host's recordings, past the actions: each call is answered at once. */
  get recordings(): HostRecordings {
    return this.#client
  }

  cancel(actionId: number): Promise<void> {
    return this.#client.cancel(actionId)
  }

  async setBackupTarget(target: BackupTargetInput): Promise<void> {
    await observeBackupTarget(this.#db, this.#hostId, await this.#client.setBackupTarget(target))
  }

  openUpload(uploadUid: string, method: string, headers: Record<string, string>): ClientRequest {
    return this.#client.openUpload(uploadUid, method, headers)
  }

  uploadOffset(uploadUid: string): Promise<number> {
    return this.#client.uploadOffset(uploadUid)
  }

  dropUpload(uploadUid: string): Promise<void> {
    return this.#client.dropUpload(uploadUid)
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#askAgain) clearTimeout(this.#askAgain)
    this.#client.close()
    await this.#work
  }

  async dispatch(actionId: number): Promise<void> {
    if (!this.#online || this.#sending.has(actionId)) return
    this.#sending.add(actionId)
    try {
      await this.#send(actionId)
    } finally {
      this.#sending.delete(actionId)
    }
    // It may have been cancelled while it was on its way.
    await this.#carryCancel(actionId)
  }

  async dispatchCancel(actionId: number): Promise<void> {
    if (this.#online) await this.#carryCancel(actionId)
  }

  /** Tells the host that an action is no longer wanted, if that is recorded. One that it never got ends here. */
  async #carryCancel(actionId: number): Promise<void> {
    // What is being sent looks for the wish by itself afterwards.
    if (this.#sending.has(actionId)) return
    const action = await this.#db.action.findUnique({ where: { id: actionId } })
    if (action?.status !== 'running' || action.cancelledAt === null) return
    try {
      const report = await this.#client.getAction(actionId)
      if (!report) await failAction(this.#db, actionId, { code: 'cancelled', message: 'This was cancelled.' })
      else if (report.status === 'running') await this.#client.cancel(actionId)
      else await applyReport(this.#db, report)
    } catch (error) {
      this.#log.warn('a host could not be told to cancel', { actionId, error: errorText(error) })
      if (!(error instanceof HearthError)) this.#askLater()
    }
    this.#changes.publish('actions', 'vms', 'images', 'snapshots', 'volumes', 'backups')
  }

  async #send(actionId: number): Promise<void> {
    const action = await this.#db.action.findUnique({ where: { id: actionId } })
    if (action?.status !== 'running' || action.request === null) return
    // Written by beginAction; what travels is parsed again by the client.
    const request = JSON.parse(action.request) as AgentRequest
    await this.#db.action.update({ where: { id: actionId }, data: { sentAt: new Date() } })
    try {
      const report = await this.#client.send(actionId, request)
      await applyReport(this.#db, report)
    } catch (error) {
      if (!(error instanceof HearthError)) {
        // Whether the host has it is unknown: ask when it is back, or later if the connection holds.
        this.#log.warn('a host did not answer', { actionId, error: errorText(error) })
        this.#askLater()
      } else if (
        ['delete', 'delete_snapshot', 'delete_image', 'delete_volume', 'delete_backup'].includes(
          request.kind,
        ) &&
        error.code === 'not_found'
      ) {
        await this.#alreadyGone(actionId)
      } else {
        await failAction(this.#db, actionId, { code: error.code, message: error.userMessage })
      }
    }
    this.#changes.publish('actions', 'vms', 'images', 'snapshots', 'volumes', 'backups')
  }

  /** What was to be deleted is not there: the deletion has come to its end. */
  async #alreadyGone(actionId: number): Promise<void> {
    const action = await this.#db.action.findUniqueOrThrow({ where: { id: actionId } })
    const now = new Date().toISOString()
    await applyReport(this.#db, {
      actionId,
      command: actionCommandSchema.parse(action.command),
      status: 'success',
      progress: 100,
      step: 'It was not on the host any more',
      error: null,
      startedAt: action.startedAt.toISOString(),
      finishedAt: now,
      vmUid: null,
      imageUid: null,
    })
  }

  #askLater(): void {
    if (this.#closed) return
    this.#askAgain ??= setTimeout(() => {
      this.#askAgain = null
      this.#work = this.#work.then(() => this.#settleActions()).catch((error) => this.#trouble(error))
    }, askAgainMs)
  }

  #enqueue(event: AgentEvent): void {
    const epoch = this.#epoch
    this.#work = this.#work
      .then(() => (epoch === this.#epoch && !this.#closed ? this.#apply(event) : undefined))
      .catch((error) => this.#trouble(error))
  }

  /** An event that could not be written would be missing for good: begin again with a snapshot. */
  #trouble(error: unknown): void {
    if (this.#closed) return
    this.#log.error('an event of a host could not be applied', { error: errorText(error) })
    this.#lost('an event could not be applied')
    setTimeout(() => {
      if (!this.#closed) this.#client.resubscribe()
    }, 1_000).unref()
  }

  #lost(reason: string): void {
    this.#epoch++
    if (!this.#online) return
    this.#online = false
    this.#work = this.#work
      .then(() => this.#db.host.update({ where: { id: this.#hostId }, data: { lastSeenAt: new Date() } }))
      .then(() => this.#changes.publish('hosts'))
      .catch((error) => this.#log.error('a host could not be marked away', { error: errorText(error) }))
    this.#log.warn('a host is away', { hostId: this.#hostId, reason })
    this.#changes.publish('hosts', 'vms')
  }

  async #apply(event: AgentEvent): Promise<void> {
    switch (event.type) {
      case 'snapshot':
        await this.#applySnapshot(event)
        return
      case 'host':
        await observeHost(this.#db, this.#hostId, event.host)
        this.#changes.publish('hosts')
        return
      case 'vm':
        await this.#observe(event.vm)
        this.#changes.publish('vms')
        return
      case 'sample':
        await keepSample(this.#db, this.#hostId, event.sample)
        this.#changes.publish('metrics')
        return
      case 'vm_removed':
        this.#strangers.delete(event.vmUid)
        await observeAbsence(this.#db, this.#hostId, { vmUid: event.vmUid })
        this.#changes.publish('vms', 'hosts')
        return
      case 'image':
        await observeImage(this.#db, this.#hostId, event.image)
        this.#changes.publish('images')
        return
      case 'volume':
        await observeVolume(this.#db, this.#hostId, event.volume)
        this.#changes.publish('volumes')
        return
      case 'volume_removed':
        await observeVolumeAbsence(this.#db, this.#hostId, { volumeUid: event.volumeUid })
        this.#changes.publish('volumes')
        return
      case 'vm_snapshot':
        await observeSnapshot(this.#db, this.#hostId, event.snapshot)
        this.#changes.publish('snapshots')
        return
      case 'vm_snapshot_removed':
        await observeSnapshotAbsence(this.#db, this.#hostId, { snapshotUid: event.snapshotUid })
        this.#changes.publish('snapshots')
        return
      case 'backup_target':
        await observeBackupTarget(this.#db, this.#hostId, event.target)
        this.#changes.publish('backups')
        return
      case 'backup':
        await observeBackup(this.#db, this.#hostId, event.backup)
        this.#changes.publish('backups')
        return
      case 'backup_removed':
        await observeBackupAbsence(this.#db, this.#hostId, { backupUid: event.backupUid })
        this.#changes.publish('backups')
        return
      case 'image_removed':
        await observeImageAbsence(this.#db, this.#hostId, { uid: event.imageUid })
        this.#changes.publish('images')
        return
      case 'action':
        if (await applyReport(this.#db, event.action))
          this.#changes.publish('actions', 'vms', 'images', 'snapshots', 'volumes', 'backups')
        return
    }
  }

  async #applySnapshot(event: Extract<AgentEvent, { type: 'snapshot' }>): Promise<void> {
    const epoch = this.#epoch
    this.#strangers.clear()
    await observeHost(this.#db, this.#hostId, event.host)
    for (const image of event.images) await observeImage(this.#db, this.#hostId, image)
    await observeImageAbsence(this.#db, this.#hostId, {
      uid: { notIn: event.images.map(({ imageUid }) => imageUid) },
    })
    // First what ended meanwhile: a VM that an action holds does not follow what is observed.
    for (const action of event.actions) await applyReport(this.#db, action)
    for (const vm of event.vms) await this.#observe(vm)
    await observeAbsence(this.#db, this.#hostId, { notIn: event.vms.map(({ vmUid }) => vmUid) })
    for (const volume of event.volumes) await observeVolume(this.#db, this.#hostId, volume)
    await observeVolumeAbsence(this.#db, this.#hostId, {
      notIn: event.volumes.map(({ volumeUid }) => volumeUid),
    })
    for (const snapshot of event.vmSnapshots) await observeSnapshot(this.#db, this.#hostId, snapshot)
    await observeSnapshotAbsence(this.#db, this.#hostId, {
      notIn: event.vmSnapshots.map(({ snapshotUid }) => snapshotUid),
    })
    const { backupTarget, backups = [] } = event
    await observeBackupTarget(this.#db, this.#hostId, backupTarget ?? null)
    for (const backup of backups) await observeBackup(this.#db, this.#hostId, backup)
    // Of a disk that is away, or still looked through, the host cannot tell what is not on it.
    if (backupTarget?.state === 'ready')
      await observeBackupAbsence(this.#db, this.#hostId, {
        notIn: backups.map(({ backupUid }) => backupUid),
      })
    if (epoch !== this.#epoch || this.#closed) return
    this.#online = true
    this.#log.info('a host is there', { hostId: this.#hostId, vms: event.vms.length })
    this.#changes.publish('hosts', 'vms', 'images', 'actions', 'snapshots', 'volumes', 'backups')
    await this.#settleActions()
  }

  async #observe(report: VmReport): Promise<void> {
    if (await observeVm(this.#db, this.#hostId, report)) {
      this.#strangers.delete(report.vmUid)
      return
    }
    if (this.#strangers.has(report.vmUid)) return
    const text = `${report.name} (${report.vmUid}) is on the host, but not in the portal. It is left alone.`
    this.#strangers.set(report.vmUid, text)
    this.#log.warn('a host has a VM that the portal does not know', {
      vmUid: report.vmUid,
      name: report.name,
    })
    this.#changes.publish('hosts')
  }

  /** Every action under way: sends what the host has not accepted, asks about what it has. */
  async #settleActions(): Promise<void> {
    if (!this.#online) return
    const running = await this.#db.action.findMany({
      where: { hostId: this.#hostId, status: 'running' },
      orderBy: { id: 'asc' },
    })
    for (const action of running) {
      if (!this.#online) return
      if (action.cancelledAt !== null) {
        await this.#carryCancel(action.id)
        continue
      }
      if (action.request !== null) {
        // The same id again does nothing twice: the agent answers with the action it has.
        await this.dispatch(action.id)
        continue
      }
      try {
        const report = await this.#client.getAction(action.id)
        if (report) await applyReport(this.#db, report)
        else {
          await failAction(this.#db, action.id, {
            code: 'internal',
            message: 'The host does not know this action any more. Look at the VM and try again.',
          })
        }
      } catch (error) {
        this.#log.warn('a host did not answer', { actionId: action.id, error: errorText(error) })
        this.#askLater()
      }
    }
    this.#changes.publish('actions', 'vms', 'images', 'snapshots', 'volumes', 'backups')
  }
}
