/** Recordings of a VM's screen or serial console, kept by the host it runs on. */
import { z } from 'zod'
import { vmUidSchema } from './names.ts'
import { MIB } from './units.ts'

export const recordingUidSchema = z.uuid()

/** `display`: the RFB stream in an FBS file; `serial`: the guest's output as asciicast v2. */
export const recordingKinds = ['display', 'serial'] as const
export const recordingKindSchema = z.enum(recordingKinds)
export type RecordingKind = z.infer<typeof recordingKindSchema>

/**
 * Bytes: of one recording, after which it ends by itself; of all on a host, above which the oldest finished ones go; and
 * what stays free on its disk.
 */
export const recordingLimits = { oneBytes: 256 * MIB, allBytes: 4096 * MIB, freeBytes: 1024 * MIB } as const

/** Why it ended. `interrupted`: the host's agent ended, or the connection to the VM's monitor broke. */
export const recordingEnds = ['stopped', 'vm_stopped', 'full', 'no_space', 'interrupted'] as const

export const recordingReportSchema = z.object({
  recordingUid: recordingUidSchema,
  vmUid: vmUidSchema,
  /** The VM's name when it began: the recording may outlive the VM. */
  vmName: z.string(),
  kind: recordingKindSchema,
  /** Who wanted it, by name. */
  startedBy: z.string(),
  startedAt: z.iso.datetime({ precision: 3 }),
  /** Null while it goes on. */
  endedAt: z.iso.datetime({ precision: 3 }).nullable(),
  end: z.enum(recordingEnds).nullable(),
  bytes: z.int(),
})
export type RecordingReport = z.infer<typeof recordingReportSchema>
export type RecordingEnd = NonNullable<RecordingReport['end']>

export const recordingStartInputSchema = z.object({
  recordingUid: recordingUidSchema,
  vmUid: vmUidSchema,
  kind: recordingKindSchema,
  startedBy: z.string().max(80),
})
export type RecordingStartInput = z.infer<typeof recordingStartInputSchema>
export const recordingRefInputSchema = z.object({ recordingUid: recordingUidSchema })
