import { idSchema, imageUidSchema } from '@hearth/shared/names'
import { z } from 'zod'
import { actionViewSchema } from './action.ts'
import { timeSchema } from './common.ts'

export const imageViewSchema = z.object({
  id: idSchema,
  uid: imageUidSchema,
  name: z.string(),
  description: z.string(),
  status: z.enum(['absent', 'building', 'ready', 'failed']),
  progress: z.int().min(0).max(100),
  step: z.string(),
  error: z.string().nullable(),
  storedBytes: z.int().nonnegative(),
  cloudInit: z.boolean(),
  /** Its VMs get a screen unless somebody says otherwise. */
  graphical: z.boolean(),
  /** The user that is made when the person names none; null without cloud-init. */
  loginUser: z.string().nullable(),
  minMemoryBytes: z.int().positive(),
  /** 0: the image has no disk, it runs from memory. */
  minDiskBytes: z.int().nonnegative(),
  createdAt: timeSchema,
  /** The build under way, if any. */
  action: actionViewSchema.nullable(),
})
export type ImageView = z.infer<typeof imageViewSchema>

export const imageBuildInputSchema = z.object({ imageUid: imageUidSchema })
