/** The links to all hosts, as the services and consoles use them. One host for now. */

import type { ClientRequest } from 'node:http'
import type { BackupTargetInput } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type WebSocket from 'ws'
import type { Database } from '../db/client.ts'
import type { Log } from '../log.ts'
import type { Changes } from '../services/changes.ts'
import type { Hosts } from '../services/context.ts'
import type { AgentEndpoint } from './agent-client.ts'
import { AgentLink } from './agent-link.ts'

export class Agents implements Hosts {
  readonly #links = new Map<number, AgentLink>()
  readonly #db: Database
  readonly #changes: Changes
  readonly #log: Log

  constructor(options: { db: Database; changes: Changes; log: Log }) {
    this.#db = options.db
    this.#changes = options.changes
    this.#log = options.log
  }

  connect(hostId: number, endpoint: AgentEndpoint): void {
    const options = { hostId, endpoint, db: this.#db, changes: this.#changes, log: this.#log }
    this.#links.set(hostId, new AgentLink(options))
  }

  isOnline(hostId: number): boolean {
    return this.#links.get(hostId)?.online ?? false
  }

  differences(hostId: number): string[] {
    return this.#links.get(hostId)?.differences ?? []
  }

  async dispatch(actionId: number): Promise<void> {
    const action = await this.#db.action.findUnique({ where: { id: actionId }, select: { hostId: true } })
    if (action) await this.#links.get(action.hostId)?.dispatch(actionId)
  }

  async dispatchCancel(actionId: number): Promise<void> {
    const action = await this.#db.action.findUnique({ where: { id: actionId }, select: { hostId: true } })
    if (action) await this.#links.get(action.hostId)?.dispatchCancel(actionId)
  }

  /** The host's end of a VM's console; undefined while the host is away. `path` is below `/vms/<vmUid>/`. */
  openConsole(hostId: number, vmUid: string, path: string): WebSocket | undefined {
    const link = this.#links.get(hostId)
    return link?.online ? link.openConsole(vmUid, path) : undefined
  }

  /** A small picture of a VM's screen as its host answers it; undefined while the host is away. */
  async screenPicture(
    hostId: number,
    ...given: Parameters<AgentLink['screenPicture']>
  ): Promise<Response | undefined> {
    const link = this.#links.get(hostId)
    return link?.online ? link.screenPicture(...given) : undefined
  }

  async cancel(hostId: number, actionId: number): Promise<void> {
    await this.#online(hostId).cancel(actionId)
  }

  uploadOffset(hostId: number, uploadUid: string): Promise<number> {
    return this.#online(hostId).uploadOffset(uploadUid)
  }

  dropUpload(hostId: number, uploadUid: string): Promise<void> {
    return this.#online(hostId).dropUpload(uploadUid)
  }

  /** One request of an upload to the host; undefined while it is away. */
  openUpload(
    hostId: number,
    uploadUid: string,
    method: string,
    headers: Record<string, string>,
  ): ClientRequest | undefined {
    const link = this.#links.get(hostId)
    return link?.online ? link.openUpload(uploadUid, method, headers) : undefined
  }

  setBackupTarget(hostId: number, target: BackupTargetInput): Promise<void> {
    return this.#online(hostId).setBackupTarget(target)
  }

  recordings(hostId: number): AgentLink['recordings'] {
    return this.#online(hostId).recordings
  }

  #online(hostId: number): AgentLink {
    const link = this.#links.get(hostId)
    if (!link?.online)
      throw new HearthError('host_unavailable', 'The host is away. Try again when it is back.')
    return link
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()))
  }
}
