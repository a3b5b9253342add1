import { z } from 'zod'
import { vmUidSchema } from './names.ts'

/** Immutable identity of a snapshot across processes; names its folder on the host. */
export const snapshotUidSchema = z.uuid()

/**
 * In which condition a disk was when its snapshot was taken. `stopped`: switched off, everything written.
 * `paused`: the guest ran and was held still for the copy; its disk is as after a power cut at that moment, which
 * journaling file systems and databases recover from by themselves. `frozen`: the same, with the guest's file systems
 * written out and at rest, because its agent was asked first.
 */
export const snapshotConsistencySchema = z.enum(['stopped', 'paused', 'frozen'])
export type SnapshotConsistency = z.infer<typeof snapshotConsistencySchema>

/** A snapshot as its host has it: the content of one VM's system disk, and the kernel it starts with. */
export const vmSnapshotReportSchema = z.object({
  snapshotUid: snapshotUidSchema,
  vmUid: vmUidSchema,
  /** Size of the disk, in bytes. */
  diskBytes: z.int().nonnegative(),
  /** Bytes its files hold; blocks that the file system shares with the disk are counted here, too. */
  storedBytes: z.int().nonnegative(),
  consistency: snapshotConsistencySchema,
  takenAt: z.iso.datetime({ precision: 3 }),
})
export type VmSnapshotReport = z.infer<typeof vmSnapshotReportSchema>
