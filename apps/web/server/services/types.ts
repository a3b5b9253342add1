/**
 * The business of the portal, as its two adapters (tRPC, REST) see it. Rules live in the implementations beside this
 * file, once; adapters translate words and errors only. Every `watch` yields the complete current value at once
 * and again after each change, and ends when `signal` aborts.
 */

import type { ActionStatus } from '@hearth/shared/action'
import type { BackupTargetInput, PowerOp } from '@hearth/shared/agent-protocol'
import type { RateLimit } from '@hearth/shared/limits'
import type { Firewall, PortForward } from '@hearth/shared/network'
import type { QuotaKey } from '@hearth/shared/quota'
import type { RecordingKind } from '@hearth/shared/recording'
import type { VmFolder } from '@hearth/shared/shared-folders'
import type { VmBoot, VmSpec } from '@hearth/shared/vm-spec'
import type { VolumeFormat } from '@hearth/shared/volume'
import type { WatchdogAction } from '@hearth/shared/watchdog'
import type { Privilege, ProjectRole } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { ActionView } from '../views/action.ts'
import type { ActivityGroup, ActivityView } from '../views/activity.ts'
import type { BackupsView, BackupView } from '../views/backup.ts'
import type { HostView } from '../views/host.ts'
import type {
  ImageFromVmInput,
  ImageImportInput,
  ImageUpdateInput,
  ImageUploadInput,
  ImageView,
} from '../views/image.ts'
import type { MetricRange, MetricSeries, VmNow } from '../views/metric.ts'
import type {
  HomeSettings,
  HomeUpdate,
  InvitationCheck,
  InvitationView,
  MemberView,
  PersonView,
  ProjectView,
  QuotaRequestView,
} from '../views/project.ts'
import type { RecordingView } from '../views/recording.ts'
import type { Role, SessionView, SetupCompleteInput } from '../views/session.ts'
import type { SizeView } from '../views/size.ts'
import type { SnapshotPlan, SnapshotsView } from '../views/snapshot.ts'
import type { SshKeyView } from '../views/ssh-key.ts'
import type { TokenScope, TokenView } from '../views/token.ts'
import type { VmChange, VmCreateInput, VmRebuildInput, VmView } from '../views/vm.ts'
import type { VolumeView } from '../views/volume.ts'

export type LabelledType = 'vm' | 'ssh_key'

interface ActionFilter {
  vmId?: number
  ids?: number[]
  status?: ActionStatus[]
  orderBy: { field: 'id' | 'command' | 'status' | 'started' | 'finished'; descending: boolean }[]
  offset: number
  limit: number
}

export type VmCreateRequest = VmCreateInput

/** What is left out stays as it is. Sizes change only while the VM is off; a disk grows only. */
export interface VmUpdateRequest {
  id: number
  name?: string | undefined
  cpus?: number | undefined
  memoryBytes?: number | undefined
  diskBytes?: number | undefined
  startAtBoot?: boolean | undefined
  /** null: as its image does. */
  boot?: VmBoot | null | undefined
  /** null: none from its next start on. */
  display?: VmSpec['display'] | null
  /** null: none from its next start on. */
  watchdog?: WatchdogAction | null | undefined
  /** null: the host's own network for VMs; only while the VM is off. */
  bridge?: string | null | undefined
  /** All of them: what is not in the list is taken away. */
  forwards?: PortForward[] | undefined
  firewall?: Firewall | undefined
  /** null: none. Adapters let owners only give these three. */
  diskLimit?: RateLimit | null | undefined
  netLimit?: RateLimit | null | undefined
  keepMemory?: boolean | undefined
  /** Adapters let administrators only give these: all of them, from the next start on. */
  folders?: VmFolder[] | undefined
  labels?: Record<string, string> | undefined
  idempotencyKey?: string | undefined
}

interface VolumeRef {
  id: number
  idempotencyKey?: string | undefined
}

interface NewVolume {
  name: string
  bytes: number
  format: VolumeFormat
  idempotencyKey?: string | undefined
}

interface VolumeChange {
  volume: VolumeView
  action: ActionView
}

/** `confirmName` is what the person typed; a script, which names the VM by its id, gives none. */
export type VmRebuildRequest = Omit<VmRebuildInput, 'confirmName'> & { confirmName?: string }

export interface SnapshotRef {
  id: number
  idempotencyKey?: string | undefined
}

export interface BackupRef {
  id: number
  idempotencyKey?: string | undefined
}

export interface PortalServices {
  readonly access: {
    /**
     * Refuses whoever has not the privilege for a call with that input; returns the project it is about, if any.
     * Adapters ask this before anything else; the services below rely on it.
     */
    ensure(viewer: Viewer | null, privilege: Privilege, input: unknown): Promise<number | null>
  }
  readonly session: {
    get(viewer: Viewer | null): Promise<SessionView>
    /** Shows by the password that it is still them; opens what `confirmed` procedures need for a while. */
    confirm(viewer: Viewer, password: string): Promise<void>
  }
  readonly setup: {
    check(token: string): Promise<'valid' | 'invalid' | 'expired' | 'done'>
    complete(input: SetupCompleteInput, from: string): Promise<void>
  }
  readonly projects: {
    /** Those the viewer sees, each with its quota and what the viewer may do. */
    list(viewer: Viewer): Promise<ProjectView[]>
    get(viewer: Viewer, projectId: number): Promise<ProjectView>
    watch(viewer: Viewer, signal: AbortSignal): AsyncGenerator<ProjectView[], void, void>
    create(viewer: Viewer, name: string): Promise<ProjectView>
    rename(viewer: Viewer, projectId: number, name: string): Promise<ProjectView>
    delete(viewer: Viewer, projectId: number, confirmName: string): Promise<void>
  }
  readonly members: {
    list(viewer: Viewer, projectId: number): Promise<MemberView[]>
    setRole(viewer: Viewer, projectId: number, userId: string, role: ProjectRole): Promise<void>
    remove(viewer: Viewer, projectId: number, userId: string): Promise<void>
    leave(viewer: Viewer, projectId: number): Promise<void>
  }
  readonly invitations: {
    list(projectId: number): Promise<InvitationView[]>
    create(
      viewer: Viewer,
      projectId: number,
      input: { role: ProjectRole; note: string; expiresInDays: number },
    ): Promise<{ invitation: InvitationView; path: string }>
    revoke(viewer: Viewer, projectId: number, invitationId: number): Promise<void>
    check(token: string): Promise<InvitationCheck>
    accept(viewer: Viewer, token: string): Promise<{ projectId: number }>
    register(
      input: { token: string; name: string; email: string; password: string },
      from: string,
    ): Promise<{ projectId: number }>
  }
  readonly quota: {
    set(
      viewer: Viewer,
      projectId: number,
      limits: Partial<Record<QuotaKey, number | 'unlimited' | null>>,
    ): Promise<void>
    request(
      viewer: Viewer,
      projectId: number,
      input: { key: QuotaKey; wanted: number; reason: string },
    ): Promise<QuotaRequestView>
    answer(viewer: Viewer, id: number, input: { grant: boolean; answer: string }): Promise<void>
  }
  readonly home: {
    get(): Promise<HomeSettings>
    update(viewer: Viewer, input: HomeUpdate): Promise<void>
  }
  readonly persons: {
    list(viewer: Viewer): Promise<PersonView[]>
    setRole(viewer: Viewer, userId: string, role: Role): Promise<void>
    delete(viewer: Viewer, userId: string): Promise<void>
  }
  readonly hosts: {
    list(viewer: Viewer): Promise<HostView[]>
    /** Which of its bridges VMs may be attached to. */
    setBridges(viewer: Viewer, input: { id: number; bridges: string[] }): Promise<void>
    watch(viewer: Viewer, signal: AbortSignal): AsyncGenerator<HostView[], void, void>
  }
  readonly sizes: {
    list(): Promise<SizeView[]>
  }
  readonly images: {
    /** The home's, and those of projects the viewer sees. */
    list(viewer: Viewer): Promise<ImageView[]>
    watch(viewer: Viewer, signal: AbortSignal): AsyncGenerator<ImageView[], void, void>
    get(viewer: Viewer, id: number): Promise<ImageView>
    /** Builds or downloads what the catalogue has; joins the work if it is under way. */
    build(viewer: Viewer, imageUid: string): Promise<ActionView>
    /** The same for whatever failed, also an import. */
    retry(viewer: Viewer, id: number): Promise<ActionView>
    import(viewer: Viewer, projectId: number, input: ImageImportInput): Promise<ActionView>
    fromVm(viewer: Viewer, input: ImageFromVmInput): Promise<ActionView>
    beginUpload(viewer: Viewer, projectId: number, input: ImageUploadInput): Promise<ImageView>
    finishUpload(viewer: Viewer, id: number): Promise<ActionView>
    dropUpload(viewer: Viewer, id: number): Promise<void>
    /** `projectId`: the image's, null when it is the home's. */
    update(viewer: Viewer, projectId: number | null, input: ImageUpdateInput): Promise<ImageView>
    /** As `update` does it, answered with an action, for scripts that follow one. */
    protect(viewer: Viewer, id: number, deleteProtected: boolean): Promise<ActionView>
    cancel(viewer: Viewer, id: number): Promise<void>
    delete(viewer: Viewer, id: number): Promise<ActionView>
    settings(): Promise<{ allowPrivateImports: boolean }>
    setSettings(
      viewer: Viewer,
      settings: { allowPrivateImports: boolean },
    ): Promise<{ allowPrivateImports: boolean }>
  }
  readonly vms: {
    /** Of every project the viewer sees. */
    list(viewer: Viewer): Promise<VmView[]>
    watch(viewer: Viewer, signal: AbortSignal): AsyncGenerator<VmView[], void, void>
    get(viewer: Viewer, id: number): Promise<VmView>
    proposeName(projectId: number): Promise<string>
    create(viewer: Viewer, projectId: number, input: VmCreateRequest): Promise<VmChange>
    /** Ends the creation of a VM, which then leaves nothing; while the host is away, as soon as it is back. */
    cancel(viewer: Viewer, id: number): Promise<VmChange>
    power(viewer: Viewer, input: { id: number; op: PowerOp; idempotencyKey?: string }): Promise<VmChange>
    /** Answers with the work at the host, or null when nothing of it had to change. */
    update(viewer: Viewer, input: VmUpdateRequest): Promise<{ vm: VmView; action: ActionView | null }>
    protect(viewer: Viewer, input: { id: number; deleteProtected: boolean }): Promise<VmChange>
    /** What its disk holds is lost; a VM that runs is down for the end of it, and runs again. */
    rebuild(viewer: Viewer, input: VmRebuildRequest): Promise<VmChange>
    /** `confirmName` is what the person typed; a script, which names the VM by its id, gives none. */
    delete(
      viewer: Viewer,
      input: { id: number; confirmName?: string; idempotencyKey?: string },
    ): Promise<VmChange>
  }
  readonly snapshots: {
    list(viewer: Viewer, vmId: number): Promise<SnapshotsView>
    watch(viewer: Viewer, vmId: number, signal: AbortSignal): AsyncGenerator<SnapshotsView, void, void>
    take(
      viewer: Viewer,
      input: { vmId: number; name?: string | undefined; idempotencyKey?: string | undefined },
    ): Promise<{ snapshotId: number; change: VmChange }>
    rename(viewer: Viewer, input: { id: number; name: string }): Promise<void>
    restore(viewer: Viewer, input: SnapshotRef): Promise<VmChange>
    delete(viewer: Viewer, input: SnapshotRef): Promise<VmChange>
    createVm(viewer: Viewer, input: SnapshotRef & { name: string; start: boolean }): Promise<VmChange>
    setSchedule(viewer: Viewer, input: { vmId: number; schedule: SnapshotPlan | null }): Promise<void>
  }
  readonly volumes: {
    list(viewer: Viewer): Promise<VolumeView[]>
    watch(viewer: Viewer, signal: AbortSignal): AsyncGenerator<VolumeView[], void, void>
    get(viewer: Viewer, id: number): Promise<VolumeView>
    /** Made and attached as one thing, to a VM that is off. */
    createFor(viewer: Viewer, input: NewVolume & { vmId: number }): Promise<VolumeChange>
    create(viewer: Viewer, projectId: number, input: NewVolume): Promise<VolumeChange>
    attach(viewer: Viewer, input: VolumeRef & { vm: number }): Promise<VolumeChange>
    detach(viewer: Viewer, input: VolumeRef): Promise<VolumeChange>
    resize(viewer: Viewer, input: VolumeRef & { bytes: number }): Promise<VolumeChange>
    rename(viewer: Viewer, input: { id: number; name: string }): Promise<VolumeView>
    delete(viewer: Viewer, input: VolumeRef): Promise<ActionView>
  }
  readonly backups: {
    /** Of every project the viewer sees, with how the plan stands; an administrator also those of nobody. */
    list(viewer: Viewer): Promise<BackupsView>
    watch(viewer: Viewer, signal: AbortSignal): AsyncGenerator<BackupsView, void, void>
    get(viewer: Viewer, id: number): Promise<BackupView>
    take(
      viewer: Viewer,
      input: { vmId: number; idempotencyKey?: string | undefined },
    ): Promise<{ backupId: number; action: ActionView }>
    restore(viewer: Viewer, input: BackupRef): Promise<VmChange>
    createVm(viewer: Viewer, input: BackupRef & { name: string; start: boolean }): Promise<VmChange>
    verify(viewer: Viewer, input: BackupRef): Promise<ActionView>
    /** null: it was only in the list. */
    delete(viewer: Viewer, input: BackupRef): Promise<ActionView | null>
    /** Ends what is under way with it, which then leaves nothing. */
    cancel(viewer: Viewer, id: number): Promise<void>
    /** `key`: what is there is encrypted, or will be. The portal does not keep it. */
    setTarget(viewer: Viewer, input: BackupTargetInput & { hostId: number }): Promise<void>
    setPlan(viewer: Viewer, input: { hostId: number; plan: SnapshotPlan | null }): Promise<void>
    setIncluded(viewer: Viewer, input: { vmId: number; included: boolean }): Promise<void>
  }
  readonly metrics: {
    /** Of each VM that runs and that the viewer sees, how it is now. */
    latest(viewer: Viewer): Promise<VmNow[]>
    ofVm(id: number, range: MetricRange): Promise<MetricSeries>
    watchVm(id: number, range: MetricRange, signal: AbortSignal): AsyncGenerator<MetricSeries, void, void>
    ofHost(id: number, range: MetricRange): Promise<MetricSeries>
    watchHost(id: number, range: MetricRange, signal: AbortSignal): AsyncGenerator<MetricSeries, void, void>
    /** Between two moments, at the finest resolution that is kept of all of it. */
    between(id: number, start: Date, end: Date): Promise<MetricSeries>
  }
  readonly actions: {
    list(viewer: Viewer, filter: { vmId?: number; limit: number }): Promise<ActionView[]>
    get(id: number): Promise<ActionView>
    page(viewer: Viewer, filter: ActionFilter): Promise<{ items: ActionView[]; total: number }>
    watch(
      viewer: Viewer,
      filter: { vmId?: number; limit: number },
      signal: AbortSignal,
    ): AsyncGenerator<ActionView[], void, void>
  }
  readonly activity: {
    list(
      viewer: Viewer,
      filter: {
        vmId?: number
        query?: string
        groups?: ActivityGroup[]
        failed?: boolean
        since?: string
        cursor?: number | null
        limit: number
      },
    ): Promise<{ items: ActivityView[]; nextCursor: number | null }>
  }
  readonly sshKeys: {
    /** Of one project, or of every project the viewer sees. */
    list(viewer: Viewer, projectId?: number): Promise<SshKeyView[]>
    get(id: number): Promise<SshKeyView>
    create(
      viewer: Viewer,
      projectId: number,
      input: { name?: string; publicKey: string },
    ): Promise<SshKeyView>
    rename(viewer: Viewer, id: number, name: string): Promise<SshKeyView>
    delete(viewer: Viewer, id: number): Promise<void>
  }
  readonly tokens: {
    list(viewer: Viewer): Promise<TokenView[]>
    create(
      viewer: Viewer,
      projectId: number,
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
  readonly recordings: {
    /** Newest first. */
    list(filter: { vmId?: number | undefined }): Promise<RecordingView[]>
    get(recordingUid: string): Promise<RecordingView>
    /** Records when it resolves; one that goes on already is the answer. */
    start(viewer: Viewer, input: { vmId: number; kind: RecordingKind }): Promise<RecordingView>
    stop(viewer: Viewer, recordingUid: string): Promise<RecordingView>
    delete(viewer: Viewer, recordingUid: string): Promise<void>
  }
  readonly consoles: {
    open(viewer: Viewer, vmId: number): Promise<{ ticket: string; url: string }>
    openDisplay(
      viewer: Viewer,
      input: { vmId: number; tab: string },
    ): Promise<{ ticket: string; url: string }>
  }
}
