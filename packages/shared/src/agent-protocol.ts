import { z } from 'zod'
import { actionReportSchema } from './action.ts'
import {
  backupFolderSchema,
  backupKeySchema,
  backupReportSchema,
  backupSourceSchema,
  backupTargetReportSchema,
  backupUidSchema,
} from './backup.ts'
import { imageImportSchema, imageReportSchema, ownImageSchema } from './image.ts'
import { hostSampleSchema } from './metrics.ts'
import { idSchema, imageUidSchema, vmUidSchema } from './names.ts'
import { hostFolderSchema } from './shared-folders.ts'
import { snapshotUidSchema, vmSnapshotReportSchema } from './snapshot.ts'
import { vmSpecSchema } from './vm-spec.ts'
import { volumeBytesSchema, volumeFormatSchema, volumeReportSchema, volumeUidSchema } from './volume.ts'

/**
 * The agent's control protocol: inputs and outputs of its tRPC router, served over WebSocket at `/trpc`
 * (transformer: superjson). Every connection carries `Authorization: Bearer <token>`; because a browser never
 * talks to an agent, the header is always possible.
 *
 *   host.info      query        → HostInfo
 *   host.shutdownGuests mutation {timeoutMs} → {stopped, forced}   ACPI first, then off (Ctrl-C in the foreground)
 *   vm.list        query        → VmReport[]
 *   vm.create      mutation     VmCreateInput → ActionReport      (accepted; progress follows as events)
 *   vm.power       mutation     VmPowerInput → ActionReport
 *   vm.update      mutation     VmUpdateInput → ActionReport
 *   vm.rebuild     mutation     VmRebuildInput → ActionReport     (its disk is the image's again; what it held is lost)
 *   vm.delete      mutation     VmRefInput → ActionReport
 *   vm.snapshot    mutation     VmSnapshotInput → ActionReport
 *   vm.restore     mutation     VmSnapshotInput → ActionReport     (the VM is stopped)
 *   vm.deleteSnapshot mutation  VmSnapshotInput → ActionReport
 *   backup.setTarget mutation   BackupTargetInput → BackupTargetReport | null   (checked; what lies there is found)
 *   backup.take    mutation     BackupVmInput → ActionReport       (the VM is held only while its disks are copied aside)
 *   backup.restore mutation     BackupVmInput → ActionReport       (in place; the VM is stopped)
 *   backup.verify  mutation     BackupRefInput → ActionReport      (reads all of it again)
 *   backup.delete  mutation     BackupRefInput → ActionReport
 *   volume.create  mutation     VolumeCreateInput → ActionReport   (and attaches it, if asked)
 *   volume.grow    mutation     VolumeGrowInput → ActionReport
 *   volume.delete  mutation     VolumeRefInput → ActionReport      (attached to none)
 *   image.list     query        → ImageReport[]
 *   image.build    mutation     ImageBuildInput → ActionReport     (built or downloaded, as its recipe says)
 *   image.import   mutation     ImageImportInput → ActionReport    (from an address or a finished upload)
 *   image.create   mutation     ImageCreateInput → ActionReport    (from a stopped VM's disk)
 *   image.delete   mutation     ImageDeleteInput → ActionReport
 *   recording.list  query       → RecordingReport[]
 *   recording.start mutation    RecordingStartInput → RecordingReport   (records when it answers)
 *   recording.stop  mutation    RecordingRef → RecordingReport          (its file is complete when it answers)
 *   recording.delete mutation   RecordingRef
 *   action.get     query        {actionId} → ActionReport | null
 *   action.cancel  mutation     {actionId} → ActionReport | null   (what can be cancelled ends by itself, soon)
 *   events         subscription → AgentEvent, beginning with one `snapshot`
 *
 * An upload goes past the router, as plain HTTP with the same header: HEAD, PATCH and DELETE `/uploads/<uploadUid>` in
 * the words of tus 1.0.0 (Upload-Offset, Upload-Length); `Upload-Zeros: N` without a body stands for N zero bytes. The
 * first PATCH at offset 0 begins it; one PATCH carries at most `imageLimits.uploadChunkBytes`.
 *
 * A recording's file is `GET /recordings/<recordingUid>/data`, with the same header.
 *
 * A mutation with an action id the agent has seen returns that action's report and does nothing else.
 */
export const agentProtocolVersion = 1

/**
 * What a host observes of a VM. `stopped`: no process. `crashed`: the process ended without the guest or a
 * person asking for it; `exit` says how. `suspended`: no process; the next start goes on where it was. `missing-disk`: it cannot start because its disk is gone.
 */
export const vmStateSchema = z.enum([
  'creating',
  'starting',
  'running',
  'paused',
  'stopping',
  'stopped',
  'suspended',
  'crashed',
])
export type VmState = z.infer<typeof vmStateSchema>

export const vmReportSchema = z.object({
  vmUid: vmUidSchema,
  name: z.string(),
  generation: z.int(),
  state: vmStateSchema,
  /** Since when it is in this state. */
  since: z.iso.datetime({ precision: 3 }),
  /** How the last process ended, for people; null while it never ran or runs. */
  exitReason: z.string().nullable(),
  panicked: z.boolean(),
  /** When its guest last did not reload its watchdog, in this run; absent: never. */
  watchdogAt: z.iso.datetime({ precision: 3 }).optional(),
  /** This run has a screen. */
  display: z.boolean().optional(),
  /** Addresses the host's DHCP gave it, IPv4 first. */
  addresses: z.array(z.string()),
  cpus: z.int(),
  memoryBytes: z.int(),
  diskBytes: z.int().nullable(),
  /** Bytes its disks take on the host. */
  diskUsedBytes: z.int(),
  observedAt: z.iso.datetime({ precision: 3 }),
})
export type VmReport = z.infer<typeof vmReportSchema>

export const hostInfoSchema = z.object({
  protocol: z.int(),
  version: z.string(),
  hostname: z.string(),
  /** `kvm`: the box itself; `lab`: an emulated host (slow, for trying out and for tests). */
  kind: z.enum(['kvm', 'lab']),
  kernel: z.string(),
  cpuModel: z.string(),
  cpus: z.int(),
  memoryBytes: z.int(),
  memoryAvailableBytes: z.int(),
  diskBytes: z.int(),
  diskAvailableBytes: z.int(),
  network: z.enum(['nat', 'passt']),
  /** Its own IPv4 addresses, by which forwarded ports are reached; absent from an older agent. */
  addresses: z.array(z.string()).optional(),
  /** Bridges of other networks that VMs could be attached to; absent from an older agent. */
  bridges: z.array(z.string()).optional(),
  /** Folders of its own that VMs may have; absent from an older agent. */
  folders: z.array(hostFolderSchema).optional(),
  bootedAt: z.iso.datetime({ precision: 3 }),
})
export type HostInfo = z.infer<typeof hostInfoSchema>

export const vmCreateInputSchema = z.object({
  actionId: idSchema,
  spec: vmSpecSchema,
  start: z.boolean(),
  /** Its disk comes from this snapshot instead of the image. */
  snapshotUid: snapshotUidSchema.optional(),
  /** The same with all disks, from a backup; the specification names the new volumes. */
  backup: backupSourceSchema.optional(),
})
export type VmCreateInput = z.infer<typeof vmCreateInputSchema>
/** `suspend` writes the running machine to the disk and ends its process; `start` goes on from there, `poweroff` throws it away. */
export const powerOps = ['start', 'shutdown', 'reboot', 'poweroff', 'reset', 'suspend'] as const
export const powerOpSchema = z.enum(powerOps)
export type PowerOp = z.infer<typeof powerOpSchema>
export const vmPowerInputSchema = z.object({ actionId: idSchema, vmUid: vmUidSchema, op: powerOpSchema })
export type VmPowerInput = z.infer<typeof vmPowerInputSchema>
export const vmUpdateInputSchema = z.object({ actionId: idSchema, spec: vmSpecSchema })
export type VmUpdateInput = z.infer<typeof vmUpdateInputSchema>
/** `spec` names the image; `start`: it is started afterwards. */
export const vmRebuildInputSchema = z.object({
  actionId: idSchema,
  spec: vmSpecSchema,
  start: z.boolean(),
})
export type VmRebuildInput = z.infer<typeof vmRebuildInputSchema>
export const vmSnapshotInputSchema = z.object({
  actionId: idSchema,
  vmUid: vmUidSchema,
  snapshotUid: snapshotUidSchema,
})
export type VmSnapshotInput = z.infer<typeof vmSnapshotInputSchema>
/** `key`: backups there are encrypted with it from the first on, or were already. */
export const backupTargetInputSchema = z.object({
  folder: backupFolderSchema.nullable(),
  key: backupKeySchema.optional(),
})
export type BackupTargetInput = z.output<typeof backupTargetInputSchema>
export const backupVmInputSchema = z.object({
  actionId: idSchema,
  vmUid: vmUidSchema,
  backupUid: backupUidSchema,
})
export type BackupVmInput = z.infer<typeof backupVmInputSchema>
export const backupRefInputSchema = z.object({ actionId: idSchema, backupUid: backupUidSchema })
export type BackupRefInput = z.infer<typeof backupRefInputSchema>
export const volumeCreateInputSchema = z.object({
  actionId: idSchema,
  volumeUid: volumeUidSchema,
  bytes: volumeBytesSchema,
  format: volumeFormatSchema,
  /** The specification of the VM that gets it, with it in its list. */
  attach: vmSpecSchema.optional(),
})
export type VolumeCreateInput = z.infer<typeof volumeCreateInputSchema>
export const volumeGrowInputSchema = z.object({
  actionId: idSchema,
  volumeUid: volumeUidSchema,
  bytes: volumeBytesSchema,
})
export type VolumeGrowInput = z.infer<typeof volumeGrowInputSchema>
export const volumeRefInputSchema = z.object({ actionId: idSchema, volumeUid: volumeUidSchema })
export type VolumeRefInput = z.infer<typeof volumeRefInputSchema>
export const vmRefInputSchema = z.object({ actionId: idSchema, vmUid: vmUidSchema })
export type VmRefInput = z.infer<typeof vmRefInputSchema>
export const imageBuildInputSchema = z.object({ actionId: idSchema, imageUid: imageUidSchema })
export const imageImportInputSchema = imageImportSchema.extend({ actionId: idSchema })
export const imageCreateInputSchema = z.object({
  actionId: idSchema,
  vmUid: vmUidSchema,
  image: ownImageSchema,
})
export const imageDeleteInputSchema = z.object({ actionId: idSchema, imageUid: imageUidSchema })
export const actionGetInputSchema = z.object({ actionId: idSchema })
export const shutdownGuestsInputSchema = z.object({ timeoutMs: z.int().min(0).max(600_000) })
export const shutdownGuestsOutputSchema = z.object({ stopped: z.int(), forced: z.int() })

export const agentEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    host: hostInfoSchema,
    vms: z.array(vmReportSchema),
    images: z.array(imageReportSchema),
    vmSnapshots: z.array(vmSnapshotReportSchema),
    volumes: z.array(volumeReportSchema),
    /** null: none is chosen. Absent from an older agent, as are the backups. */
    backupTarget: backupTargetReportSchema.nullable().optional(),
    /** What was found in the target so far. */
    backups: z.array(backupReportSchema).optional(),
    /** Those under way and the last finished ones (at least 200, newest last). */
    actions: z.array(actionReportSchema),
  }),
  z.object({ type: z.literal('host'), host: hostInfoSchema }),
  z.object({ type: z.literal('vm'), vm: vmReportSchema }),
  /** Every `sampleIntervalMs`. */
  z.object({ type: z.literal('sample'), sample: hostSampleSchema }),
  z.object({ type: z.literal('vm_removed'), vmUid: vmUidSchema }),
  z.object({ type: z.literal('volume'), volume: volumeReportSchema }),
  z.object({ type: z.literal('volume_removed'), volumeUid: volumeUidSchema }),
  z.object({ type: z.literal('vm_snapshot'), snapshot: vmSnapshotReportSchema }),
  z.object({ type: z.literal('vm_snapshot_removed'), snapshotUid: snapshotUidSchema }),
  z.object({ type: z.literal('backup_target'), target: backupTargetReportSchema.nullable() }),
  z.object({ type: z.literal('backup'), backup: backupReportSchema }),
  /** It was deleted; what only cannot be reached is not removed. */
  z.object({ type: z.literal('backup_removed'), backupUid: backupUidSchema }),
  z.object({ type: z.literal('image'), image: imageReportSchema }),
  z.object({ type: z.literal('image_removed'), imageUid: imageUidSchema }),
  z.object({ type: z.literal('action'), action: actionReportSchema }),
])
export type AgentEvent = z.infer<typeof agentEventSchema>

/**
 * Serial console: WebSocket at `/vms/<vmUid>/serial`, same Authorization header. Binary frames are the raw
 * bytes both ways; the scrollback (at least 256 KiB) comes first, and the notice `live` after its last byte. A text
 * frame from the agent is one ConsoleNotice as JSON; `recorded` and `not_recorded` tell whether an administrator has this
 * console recorded, at the beginning (if so) and at each change. Close codes: 4404 no such VM, 4409 not running (after the scrollback of its last run
 * was sent), 4401 bad token.
 */
export const consoleNoticeSchema = z.object({
  notice: z.enum(['connected', 'live', 'not_running', 'ended', 'recorded', 'not_recorded']),
  message: z.string(),
})
export type ConsoleNotice = z.infer<typeof consoleNoticeSchema>
export const consoleClose = { unauthorized: 4401, notFound: 4404, notRunning: 4409 } as const

/**
 * Display: WebSocket at `/vms/<vmUid>/display?id=…&name=…&input=0|1`, same header and close codes. Binary frames are
 * RFB 3.8 unchanged. Text frames are JSON: DisplayNotice from the agent, DisplayRequest to it. `4410`: the VM runs
 * and has no screen; `4408`: the monitor closed this viewer, which may come again.
 */
export const displayClose = { noDisplay: 4410, again: 4408 } as const
export const displayViewerSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** May type at all. */
  input: z.boolean(),
  /** Holds keyboard and pointer now; at most one does. */
  control: z.boolean(),
})
export type DisplayViewer = z.infer<typeof displayViewerSchema>
export const displayNoticeSchema = z.discriminatedUnion('type', [
  /** Everybody who watches, whenever that changes; `you` is the receiver's id. */
  z.object({
    type: z.literal('viewers'),
    you: z.string(),
    viewers: z.array(displayViewerSchema),
    /** The guest has an agent that shares its clipboard. */
    clipboard: z.boolean().optional(),
  }),
  /** The answer to `figures`: totals since the viewer came, and the last round trip monitor to screen (0: unknown). */
  z.object({
    type: z.literal('figures'),
    updates: z.number(),
    bytes: z.number(),
    roundTripMs: z.number(),
  }),
  /** Whether an administrator has this screen recorded: at the beginning, if so, and at each change. */
  z.object({ type: z.literal('recorded'), on: z.boolean() }),
])
export type DisplayNotice = z.infer<typeof displayNoticeSchema>
export const displayRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('take_control') }),
  z.object({ type: z.literal('give_control') }),
  z.object({ type: z.literal('figures') }),
])
export type DisplayRequest = z.infer<typeof displayRequestSchema>
