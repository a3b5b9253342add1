import { z } from 'zod'
import { GIB, MIB } from './units.ts'

/** Immutable identity of a volume across processes; names its folder on the host. */
export const volumeUidSchema = z.uuid()

export const volumeLimits = {
  bytes: { min: 1 * GIB, max: 16 * 1024 * GIB },
  /** Disks beside the system disk and cloud-init's. */
  perVm: 12,
} as const

export const volumeBytesSchema = z
  .int()
  .min(volumeLimits.bytes.min)
  .max(volumeLimits.bytes.max)
  .multipleOf(MIB, 'A disk is a whole number of MiB.')

/** Made on a new volume by its host; null leaves it empty. */
export const volumeFormatSchema = z.enum(['ext4']).nullable()
export type VolumeFormat = z.infer<typeof volumeFormatSchema>

/**
 * A volume as a VM's specification names it. `serial` is what the guest finds it by, whatever the order of its disks:
 * Linux shows it as `/dev/disk/by-id/virtio-<serial>` (VIRTIO 1.2, 5.2.6: at most 20 bytes).
 */
export const attachedVolumeSchema = z.object({
  volumeUid: volumeUidSchema,
  serial: z.string().regex(/^[a-z0-9-]{1,20}$/),
})
export type AttachedVolume = z.infer<typeof attachedVolumeSchema>

/** A volume as its host has it. */
export const volumeReportSchema = z.object({
  volumeUid: volumeUidSchema,
  bytes: z.int(),
  /** Bytes it takes on the host. */
  storedBytes: z.int().nonnegative(),
})
export type VolumeReport = z.infer<typeof volumeReportSchema>
