import { hostInfoSchema } from '@hearth/shared/agent-protocol'
import { idSchema } from '@hearth/shared/names'
import { bridgeNameSchema } from '@hearth/shared/network'
import { z } from 'zod'
import { timeSchema } from './common.ts'

export const hostViewSchema = z.object({
  id: idSchema,
  name: z.string(),
  online: z.boolean(),
  lastSeenAt: timeSchema.nullable(),
  /** The last the host said about itself; null until it was seen for the first time. */
  info: hostInfoSchema.nullable(),
  /** Bridges of its own network that VMs may be attached to. */
  bridges: z.array(z.string()),
  /** Differences between what should be on the host and what is, for people. Nothing is deleted because of them. */
  differences: z.array(z.string()),
})
export const hostBridgesInputSchema = z.object({ id: idSchema, bridges: z.array(bridgeNameSchema).max(32) })
export type HostView = z.infer<typeof hostViewSchema>
