/**
 * The business of the portal, as its two adapters (tRPC, REST) see it. Rules live in the implementations beside this
 * file, once; adapters translate words and errors only. Every `watch` yields the complete current value at once
 * and again after each change, and ends when `signal` aborts.
 */

import type { ActionStatus } from '@hearth/shared/action'
import type { PowerOp } from '@hearth/shared/agent-protocol'
import type { Viewer } from '../auth/viewer.ts'
import type { ActionView } from '../views/action.ts'
import type { ActivityView } from '../views/activity.ts'
import type { HostView } from '../views/host.ts'
import type { ImageView } from '../views/image.ts'
import type { SessionView, SetupCompleteInput } from '../views/session.ts'
import type { SizeView } from '../views/size.ts'
import type { SshKeyView } from '../views/ssh-key.ts'
import type { TokenScope, TokenView } from '../views/token.ts'
import type { VmChange, VmCreateInput, VmView } from '../views/vm.ts'

export type LabelledType = 'vm' | 'ssh_key'

export interface ActionFilter {
  vmId?: number
  ids?: number[]
  status?: ActionStatus[]
  orderBy: { field: 'id' | 'command' | 'status' | 'started' | 'finished'; descending: boolean }[]
  offset: number
  limit: number
}

/** What a script may give beyond the portal's form. */
export type VmCreateRequest = VmCreateInput & {
  labels?: Record<string, string>
  /** cloud-init user data, passed on as it is. */
  userData?: string
}

export interface PortalServices {
  readonly session: {
    get(viewer: Viewer | null): Promise<SessionView>
  }
  readonly setup: {
    check(token: string): Promise<'valid' | 'invalid' | 'expired' | 'done'>
    complete(input: SetupCompleteInput, from: string): Promise<void>
  }
  readonly hosts: {
    list(): Promise<HostView[]>
    watch(signal: AbortSignal): AsyncGenerator<HostView[], void, void>
  }
  readonly sizes: {
    list(): Promise<SizeView[]>
  }
  readonly images: {
    list(): Promise<ImageView[]>
    watch(signal: AbortSignal): AsyncGenerator<ImageView[], void, void>
    build(viewer: Viewer, imageUid: string): Promise<ActionView>
  }
  readonly vms: {
    list(): Promise<VmView[]>
    watch(signal: AbortSignal): AsyncGenerator<VmView[], void, void>
    get(id: number): Promise<VmView>
    proposeName(): Promise<string>
    create(viewer: Viewer, input: VmCreateRequest): Promise<VmChange>
    power(viewer: Viewer, input: { id: number; op: PowerOp; idempotencyKey?: string }): Promise<VmChange>
    update(viewer: Viewer, input: { id: number; startAtBoot?: boolean }): Promise<VmView>
    /** `confirmName` is what the person typed; a script, which names the VM by its id, gives none. */
    delete(
      viewer: Viewer,
      input: { id: number; confirmName?: string; idempotencyKey?: string },
    ): Promise<VmChange>
  }
  readonly actions: {
    list(filter: { vmId?: number; limit: number }): Promise<ActionView[]>
    get(id: number): Promise<ActionView>
    page(filter: ActionFilter): Promise<{ items: ActionView[]; total: number }>
    watch(
      filter: { vmId?: number; limit: number },
      signal: AbortSignal,
    ): AsyncGenerator<ActionView[], void, void>
  }
  readonly activity: {
    list(filter: {
      vmId?: number
      cursor?: number | null
      limit: number
    }): Promise<{ items: ActivityView[]; nextCursor: number | null }>
  }
  readonly sshKeys: {
    list(viewer: Viewer): Promise<SshKeyView[]>
    get(viewer: Viewer, id: number): Promise<SshKeyView>
    create(viewer: Viewer, input: { name?: string; publicKey: string }): Promise<SshKeyView>
    rename(viewer: Viewer, id: number, name: string): Promise<SshKeyView>
    delete(viewer: Viewer, id: number): Promise<void>
  }
  readonly tokens: {
    list(viewer: Viewer): Promise<TokenView[]>
    create(
      viewer: Viewer,
      input: { name: string; scope: TokenScope; expiresInDays: number | null },
    ): Promise<{ token: TokenView; secret: string }>
    revoke(viewer: Viewer, id: number): Promise<void>
  }
  readonly labels: {
    /** Of many things of one type, by their ids. */
    of(type: LabelledType, ids: readonly number[]): Promise<Map<number, Record<string, string>>>
    /** Replaces all labels of one thing. */
    set(viewer: Viewer, type: LabelledType, id: number, labels: Record<string, string>): Promise<void>
  }
  readonly consoles: {
    open(viewer: Viewer, vmId: number): Promise<{ ticket: string; url: string }>
  }
}
