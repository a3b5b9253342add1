import { idSchema } from '@hearth/shared/names'
import { z } from 'zod'

const metricRanges = ['hour', 'day', 'week', 'month'] as const
const metricRangeSchema = z.enum(metricRanges)
export type MetricRange = z.infer<typeof metricRangeSchema>

const columnSchema = z.array(z.number().nullable())

/**
 * Columns of equal length, one entry a row. Rates are per second, averaged over `step` seconds that begin at the
 * row's time; sizes are bytes; CPU is in cores. Rows are missing while nothing was measured: the VM was off, its host
 * away, or the portal stopped.
 */
export const metricSeriesSchema = z.object({
  step: z.int(),
  /** Of the whole range, in milliseconds since the Unix epoch. */
  start: z.int(),
  end: z.int(),
  at: z.array(z.int()),
  cpu: columnSchema,
  memoryBytes: columnSchema,
  guestMemoryBytes: columnSchema,
  diskReadBytes: columnSchema,
  diskWriteBytes: columnSchema,
  diskReads: columnSchema,
  diskWrites: columnSchema,
  netRxBytes: columnSchema,
  netTxBytes: columnSchema,
  netRxPackets: columnSchema,
  netTxPackets: columnSchema,
  diskUsedBytes: columnSchema,
  temperature: columnSchema,
})
export type MetricSeries = z.infer<typeof metricSeriesSchema>

/** How a VM is now: the last that was measured of it. */
export const vmNowSchema = z.object({
  vmId: idSchema,
  cpu: z.number(),
  memoryBytes: z.number(),
  /** What its guest uses; null while it does not tell. */
  guestMemoryBytes: z.number().nullable(),
  /** In and out together, a second. */
  netBytes: z.number(),
})
export type VmNow = z.infer<typeof vmNowSchema>

export const metricInputSchema = z.object({ id: idSchema, range: metricRangeSchema })
