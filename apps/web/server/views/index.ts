/** Everything a page may need of the views, in one import. */
export type { ActionView } from './action.ts'
export type { ActivityGroup, ActivityKind, ActivityListInput, ActivityView } from './activity.ts'
export type { BackupStanding, BackupsView, BackupView, VmBackupsView } from './backup.ts'
export type { Ability, Actor } from './common.ts'
export type { HostView } from './host.ts'
export type { ImageView } from './image.ts'
export type { MetricRange, MetricSeries, VmNow } from './metric.ts'
export type {
  HomeSettings,
  InvitationView,
  MemberView,
  PersonView,
  ProjectView,
  QuotaLineView,
  QuotaRequestView,
} from './project.ts'
export type { Role, SessionView, SetupCompleteInput } from './session.ts'
export type { SizeView } from './size.ts'
export type { SnapshotPlan, SnapshotsView, SnapshotView } from './snapshot.ts'
export type { SshKeyView } from './ssh-key.ts'
export type { TokenScope, TokenView } from './token.ts'
export type { VmChange, VmCreateInput, VmView, VmViewState } from './vm.ts'
export type { VolumeView } from './volume.ts'
