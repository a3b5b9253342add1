/**
 * What the router needs from the agent, as an interface: the portal imports the router's type, so this module's
 * graph must stay free of the monitor and of anything that touches the host.
 */
import type { ActionReport } from '@hearth/shared/action'
import type {
  AgentEvent,
  BackupRefInput,
  BackupTargetInput,
  BackupVmInput,
  HostInfo,
  VmCreateInput,
  VmPowerInput,
  VmRebuildInput,
  VmRefInput,
  VmReport,
  VmSnapshotInput,
  VmUpdateInput,
  VolumeCreateInput,
  VolumeGrowInput,
  VolumeRefInput,
} from '@hearth/shared/agent-protocol'
import type { BackupTargetReport } from '@hearth/shared/backup'
import type { ImageImport, ImageReport, OwnImage } from '@hearth/shared/image'
import type { RecordingReport, RecordingStartInput } from '@hearth/shared/recording'

/** The connection behind a subscription: events wait until it has taken the last ones. */
export interface EventSink {
  ready(): Promise<void>
}

/** Recordings of consoles. */
export interface RecordingServices {
  list(): RecordingReport[]
  start(input: RecordingStartInput): Promise<RecordingReport>
  stop(recordingUid: string): Promise<RecordingReport>
  remove(recordingUid: string): Promise<void>
}

export interface BackupServices {
  setTarget(input: BackupTargetInput): Promise<BackupTargetReport | null>
  take(input: BackupVmInput): Promise<ActionReport>
  restore(input: BackupVmInput): Promise<ActionReport>
  verify(input: BackupRefInput): Promise<ActionReport>
  delete(input: BackupRefInput): Promise<ActionReport>
}

export interface AgentServices {
  readonly recordings: RecordingServices
  readonly backups: BackupServices
  hostInfo(): Promise<HostInfo>
  shutdownGuests(timeoutMs: number): Promise<{ stopped: number; forced: number }>
  listVms(): VmReport[]
  createVm(input: VmCreateInput): Promise<ActionReport>
  powerVm(input: VmPowerInput): Promise<ActionReport>
  updateVm(input: VmUpdateInput): Promise<ActionReport>
  rebuildVm(input: VmRebuildInput): Promise<ActionReport>
  deleteVm(input: VmRefInput): Promise<ActionReport>
  snapshotVm(input: VmSnapshotInput): Promise<ActionReport>
  restoreVm(input: VmSnapshotInput): Promise<ActionReport>
  deleteSnapshot(input: VmSnapshotInput): Promise<ActionReport>
  createVolume(input: VolumeCreateInput): Promise<ActionReport>
  growVolume(input: VolumeGrowInput): Promise<ActionReport>
  deleteVolume(input: VolumeRefInput): Promise<ActionReport>
  listImages(): ImageReport[]
  buildImage(input: { actionId: number; imageUid: string }): Promise<ActionReport>
  importImage(input: ImageImport & { actionId: number }): Promise<ActionReport>
  createImage(input: { actionId: number; vmUid: string; image: OwnImage }): Promise<ActionReport>
  deleteImage(input: { actionId: number; imageUid: string }): Promise<ActionReport>
  /** Asks it to stop; it ends by itself. What cannot be stopped goes on. */
  cancelAction(actionId: number): Promise<ActionReport | null>
  getAction(actionId: number): ActionReport | null
  /** Begins with one `snapshot`; ends when `signal` aborts, throws when this subscriber is too slow. */
  events(signal: AbortSignal, sink?: EventSink): AsyncGenerator<AgentEvent, void, void>
}
