/** How fast a VM's disks and networks may be at most. */
import { z } from 'zod'
import { GIB, KIB } from './units.ts'

export const rateBounds = {
  bytesPerSecond: { min: 64 * KIB, max: 100 * GIB },
  operationsPerSecond: { min: 10, max: 10_000_000 },
  burstSeconds: { min: 1, max: 60 },
} as const

const bounded = ({ min, max }: { min: number; max: number }) => z.int().min(min).max(max)

/** Of each disk, or of each direction of a network, whose operations are packets. */
export const rateLimitSchema = z
  .object({
    /** null: as fast as it goes. */
    bytesPerSecond: bounded(rateBounds.bytesPerSecond).nullable(),
    operationsPerSecond: bounded(rateBounds.operationsPerSecond).nullable(),
    /** What was left unused in so many seconds may be used at once. */
    burstSeconds: bounded(rateBounds.burstSeconds),
  })
  .refine(
    ({ bytesPerSecond, operationsPerSecond }) => bytesPerSecond !== null || operationsPerSecond !== null,
    {
      error: 'A limit is of bytes, of operations, or of both.',
    },
  )
export type RateLimit = z.infer<typeof rateLimitSchema>
