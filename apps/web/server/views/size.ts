import { GIB } from '@hearth/shared/units'
import { z } from 'zod'
import { abilitySchema } from './common.ts'

export const sizeViewSchema = z.object({
  name: z.string(),
  label: z.string(),
  cpus: z.int(),
  memoryBytes: z.int(),
  diskBytes: z.int(),
  /** Whether the host has as many CPUs, as much memory and room for the disk. */
  fits: abilitySchema,
})
export type SizeView = z.infer<typeof sizeViewSchema>

/** Sizes offered by name. A VM carries its own figures; the size it came from is only a convenience. */
export const sizes = [
  { id: 1, name: 'small', label: 'Small', cpus: 1, memoryBytes: 1 * GIB, diskBytes: 10 * GIB },
  { id: 2, name: 'medium', label: 'Medium', cpus: 2, memoryBytes: 2 * GIB, diskBytes: 20 * GIB },
  { id: 3, name: 'large', label: 'Large', cpus: 4, memoryBytes: 8 * GIB, diskBytes: 40 * GIB },
] as const
