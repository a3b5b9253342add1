import type { BackupTargetInput, PowerOp } from '@hearth/shared/agent-protocol'
import type { BackupSource } from '@hearth/shared/backup'
import type { ImageImport, OwnImage } from '@hearth/shared/image'
import type { RecordingReport, RecordingStartInput } from '@hearth/shared/recording'
import type { VolumeFormat } from '@hearth/shared/volume'
import type { Database } from '../db/client.ts'
import type { Log } from '../log.ts'
import type { Changes } from './changes.ts'

/** What the host of a VM is asked, as it is kept with the action until the host has accepted it. */
export type AgentRequest =
  | { kind: 'create'; spec: unknown; start: boolean; snapshotUid?: string; backup?: BackupSource }
  | { kind: 'power'; vmUid: string; op: PowerOp }
  | { kind: 'update'; spec: unknown }
  | { kind: 'rebuild'; spec: unknown; start: boolean }
  | { kind: 'delete'; vmUid: string }
  | { kind: 'create_volume'; volumeUid: string; bytes: number; format: VolumeFormat; attach?: unknown }
  | { kind: 'grow_volume'; volumeUid: string; bytes: number }
  | { kind: 'delete_volume'; volumeUid: string }
  | { kind: 'snapshot' | 'restore' | 'delete_snapshot'; vmUid: string; snapshotUid: string }
  | { kind: 'backup' | 'restore_backup'; vmUid: string; backupUid: string }
  | { kind: 'verify_backup' | 'delete_backup'; backupUid: string }
  | { kind: 'build'; imageUid: string }
  | { kind: 'import'; import: ImageImport }
  | { kind: 'create_image'; vmUid: string; image: OwnImage }
  | { kind: 'delete_image'; imageUid: string }

/** The services' view of the link to the agents. */
export interface Hosts {
  /** Whether the host's agent is connected and has told what it has. */
  isOnline(hostId: number): boolean
  /**
   * Hands a recorded action to its host and applies the answer. Resolves when the host accepted or refused it, or
   * when the link broke; then the action goes on when the host is back.
   */
  dispatch(actionId: number): Promise<void>
  /** Carries the wish to cancel, recorded with an action, to its host; if that is away, when it is back. */
  dispatchCancel(actionId: number): Promise<void>
  differences(hostId: number): string[]
  /** Asks the host to stop an action; it ends by itself. */
  cancel(hostId: number, actionId: number): Promise<void>
  /** How many bytes of an upload the host has. */
  uploadOffset(hostId: number, uploadUid: string): Promise<number>
  dropUpload(hostId: number, uploadUid: string): Promise<void>
  /** Has the host look at a folder and take it into use for backups. Throws while it is away. */
  setBackupTarget(hostId: number, target: BackupTargetInput): Promise<void>
  /** The recordings a host keeps. Throws while it is away. */
  recordings(hostId: number): HostRecordings
}

export interface HostRecordings {
  recordings(): Promise<RecordingReport[]>
  startRecording(input: RecordingStartInput): Promise<RecordingReport>
  stopRecording(recordingUid: string): Promise<RecordingReport>
  deleteRecording(recordingUid: string): Promise<void>
  recordingData(recordingUid: string, signal: AbortSignal): Promise<Response>
}

export interface ServiceContext {
  readonly db: Database
  readonly changes: Changes
  readonly hosts: Hosts
  readonly log: Log
  readonly version: string
  readonly tls: boolean
  /** The host name passkeys belong to. */
  readonly passkeyName: string
  /** What the home's own identity provider is called; null without one. */
  readonly oidcName: string | null
}
