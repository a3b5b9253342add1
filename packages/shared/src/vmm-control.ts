/**
 * The control socket of `hearth-vmm`: one JSON object a line, both ways, over a unix stream socket.
 * A request `{id, method, params?}` is answered by `{id, ok: true, result}` or `{id, ok: false, error}`; the VMM sends
 * `{event, …}` lines to every connected client whenever its state changes. Several clients at once.
 */
import { z } from 'zod'
import { watchdogActions } from './watchdog.ts'

export const vmmStates = ['starting', 'running', 'paused', 'stopping', 'exited'] as const

/** Exit codes of `hearth-vmm`; they are part of its contract with the agent and with scripts. */
export const vmmExit = {
  poweroff: 0,
  usage: 1,
  hostRefused: 2,
  reset: 10,
  guestCrashed: 11,
  internal: 70,
} as const

export const vmmMethods = [
  'status',
  'powerdown',
  'reset',
  'quit',
  'pause',
  'resume',
  'viewers',
  'viewer-control',
  'viewer-close',
  'screenshot',
  'snapshot',
  'counters',
  'balloon',
  'disk-changes',
] as const
/**
 * `viewers` lists who watches the display (VmmViewer[]); `viewer-control` {viewer, take} gives a viewer the one
 * place at keyboard and pointer, or takes it from it; `viewer-close` {viewer} ends it; `screenshot` {maxWidth}
 * answers with a VmmScreenshot. All four fail without a display.
 * `powerdown` presses the ACPI power button (the guest decides); `reset` restarts the machine in place;
 * `quit` ends the process now, exit code 0, as pulling the plug; `pause`/`resume` stop and continue the vCPUs;
 * `snapshot` (with `params` VmmSnapshotParams, result VmmSnapshotResult) writes the whole running machine to a
 * folder, from which `--restore` goes on; `counters` answers with VmmCounters, while a machine runs; `balloon`
 * {bytes} asks the guest to give that much of its memory to the host (0: to take all of it back); `disk-changes`
 * (VmmDiskChangesParams, result VmmDiskChanges) tells what the guest has written to a disk.
 */
export type VmmMethod = (typeof vmmMethods)[number]

/**
 * `folder`: absolute, must not be there yet; it appears when it is whole and durable. Without it the snapshot goes
 * to the folder of `--snapshot-slot`, in the place of the one before. `after`: what the machine does
 * afterwards; `keep` (the default) goes on as before, `quit` ends the process (exit code 0) without a single
 * instruction more, so that folder and disks are of the same moment. `track`: from here on changed pages are noted, so
 * that the next one may be `incremental`: it has only what changed, lies beside the one before and needs it.
 */
export const vmmSnapshotParamsSchema = z.strictObject({
  folder: z.string().min(1).max(4096).startsWith('/').optional(),
  after: z.enum(['keep', 'pause', 'quit']).optional(),
  track: z.boolean().optional(),
  incremental: z.boolean().optional(),
})
export type VmmSnapshotParams = z.infer<typeof vmmSnapshotParamsSchema>

/**
 * `path`: a disk that the guest may write, as it was given. `note`: `begin` notes from here on what is written and
 * forgets what was noted; `go-on` tells what was written since it was last told; `end` tells it and notes no more. A
 * write is told after its bytes can be read from the disk. What is noted outlives a reset of the machine.
 */
export const vmmDiskChangesParamsSchema = z.strictObject({
  path: z.string(),
  note: z.enum(['begin', 'go-on', 'end']),
})
export type VmmDiskChangesParams = z.infer<typeof vmmDiskChangesParamsSchema>

export const vmmDiskChangesSchema = z.object({
  granuleBytes: z.int().positive(),
  /** Base64: a bit a granule that was written to, bit 0 of byte 0 the first. */
  bits: z.base64(),
})
export type VmmDiskChanges = z.infer<typeof vmmDiskChangesSchema>

export const vmmSnapshotResultSchema = z.object({
  /** Bytes of memory written. */
  memoryBytes: z.int(),
  /** How long the machine stood still, in milliseconds. */
  pausedMs: z.number(),
})
export type VmmSnapshotResult = z.infer<typeof vmmSnapshotResultSchema>

/**
 * What one device did since the machine's last reset, by the names of its implementation; counts only grow. `failures`, which every
 * virtio device has: how often its driver broke the rules, so that it waited for a reset.
 */
export const vmmDeviceCountersSchema = z.object({
  name: z.string(),
  counters: z.record(z.string(), z.number()),
})
export type VmmDeviceCounters = z.infer<typeof vmmDeviceCountersSchema>

/** Of the memory balloon; the guest's driver decides how far it goes. */
export const vmmBalloonSchema = z.object({
  /** What the guest was asked to give, and what it has given. */
  targetBytes: z.number(),
  actualBytes: z.number(),
  /** All it ever said it had no use for (free page reporting); it may have taken them again since. */
  reportedBytes: z.number(),
  /**
   * What the guest said of its memory, in bytes, when it was last asked, which every call of `counters` does anew:
   * total, free, available, caches, swapIn, swapOut, and counts of majorFaults and minorFaults. Empty: no driver.
   */
  statistics: z.record(z.string(), z.number()),
})
export type VmmBalloon = z.infer<typeof vmmBalloonSchema>

export const vmmCountersSchema = z.object({
  devices: z.array(vmmDeviceCountersSchema),
  balloon: vmmBalloonSchema.optional(),
})
export type VmmCounters = z.infer<typeof vmmCountersSchema>

export const vmmStatusSchema = z.object({
  state: z.enum(vmmStates),
  pid: z.int(),
  cpus: z.int(),
  memoryBytes: z.int(),
  /** Milliseconds since the Unix epoch. */
  startedAt: z.number(),
  /** How often the guest was reset since the process started. */
  resets: z.int(),
  /** Whether the guest reported a panic (pvpanic). */
  panicked: z.boolean(),
  serialViewers: z.int(),
})
export type VmmStatus = z.infer<typeof vmmStatusSchema>

/**
 * The first line the monitor sends on a connection to a serial socket that was asked for with `,scrollback-line`: so
 * many bytes of scrollback follow, and after them what the guest writes from then on.
 */
export { scrollbackLinePrefix } from './scrollback-line.ts'
export const scrollbackLineSchema = z.object({ scrollback: z.int().nonnegative() })

/**
 * The first line on a connection to the display socket, before any RFB: who this viewer is. Without it the
 * connection is the socket owner's own, may type, and takes part in no take-over.
 */
export const viewerIntroductionPrefix = 'HEARTH '
export const viewerIntroductionSchema = z.object({
  id: z.string().min(1).max(64),
  /** Shown to the others. */
  name: z.string().max(80),
  /** May hold keyboard and pointer. */
  input: z.boolean(),
})
export type ViewerIntroduction = z.infer<typeof viewerIntroductionSchema>

/** One who watches a VM's display. */
export const vmmViewerSchema = viewerIntroductionSchema.extend({
  /** Holds keyboard and pointer now. */
  control: z.boolean(),
  /** Milliseconds since the Unix epoch. */
  since: z.number(),
  /** Updates and bytes sent so far, and the last round trip to the viewer's screen in ms (0: unknown). */
  updates: z.number(),
  bytes: z.number(),
  roundTripMs: z.number(),
})
export type VmmViewer = z.infer<typeof vmmViewerSchema>

export const vmmScreenshotSchema = z.object({
  width: z.int(),
  height: z.int(),
  /** Changes when the picture does. */
  version: z.string(),
  /** Base64. */
  jpeg: z.string(),
})
export type VmmScreenshot = z.infer<typeof vmmScreenshotSchema>

export const vmmReplySchema = z.union([
  z.object({ id: z.int(), ok: z.literal(true), result: z.unknown() }),
  z.object({ id: z.int(), ok: z.literal(false), error: z.string() }),
])

export const vmmEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('state'), status: vmmStatusSchema }),
  z.object({ event: z.literal('panic') }),
  /** The guest did not reload its watchdog; `action` follows. */
  z.object({ event: z.literal('watchdog'), action: z.enum(watchdogActions) }),
  z.object({ event: z.literal('reset'), reason: z.string() }),
  /** Somebody came, went, or has keyboard and pointer now. */
  z.object({
    event: z.literal('viewers'),
    viewers: z.array(vmmViewerSchema),
    /** The guest has an agent that shares its clipboard with whoever may type. */
    clipboard: z.boolean().optional(),
  }),
  /** Sent just before the process ends, with the exit code it will use. */
  z.object({ event: z.literal('exit'), code: z.int(), reason: z.string() }),
])
export type VmmEvent = z.infer<typeof vmmEventSchema>
