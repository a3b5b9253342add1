import {
  checksumSchema,
  imageBoots,
  imageKinds,
  imageLimits,
  imageSources,
  transferSchema,
} from '@hearth/shared/image'
import { idSchema, imageUidSchema } from '@hearth/shared/names'
import { MIB } from '@hearth/shared/units'
import { z } from 'zod'
import { actionViewSchema } from './action.ts'
import { abilitySchema, timeSchema } from './common.ts'

/** `absent`: in the catalogue, to be built or downloaded. `uploading`: its file is not all here yet. */
const imageStatusSchema = z.enum(['absent', 'uploading', 'building', 'ready', 'failed'])

export const imageViewSchema = z.object({
  id: idSchema,
  uid: imageUidSchema,
  name: z.string(),
  description: z.string(),
  kind: z.enum(imageKinds),
  source: z.enum(imageSources),
  boot: z.enum(imageBoots),
  version: z.string(),
  /** For people: the address it came from, the file that was uploaded, the VM it was made of. */
  origin: z.string(),
  /** Whose it is; null: the whole home's. */
  project: z.object({ id: idSchema, name: z.string() }).nullable(),
  status: imageStatusSchema,
  progress: z.int().min(0).max(100),
  step: z.string(),
  /** While something is fetched. */
  transfer: transferSchema.nullable(),
  error: z.string().nullable(),
  /** About how much is fetched for it; 0: nothing, or nobody knows. */
  downloadBytes: z.int().nonnegative(),
  /** It is here, and can be made anew from something newer. VMs made of it stay as they are. */
  outdated: z.boolean(),
  storedBytes: z.int().nonnegative(),
  /** The disk's size as a VM sees it. */
  diskBytes: z.int().nonnegative().nullable(),
  /** SHA-256 of the file it was made from. */
  sha256: z.string().nullable(),
  cloudInit: z.boolean(),
  /** Its VMs get a screen unless somebody says otherwise. */
  graphical: z.boolean(),
  /** The user that is made when the person names none; null without cloud-init. */
  loginUser: z.string().nullable(),
  minMemoryBytes: z.int().positive(),
  /** 0: the image has no disk, it runs from memory. */
  minDiskBytes: z.int().nonnegative(),
  /** How many VMs were made from it and are still there. */
  usedBy: z.int().nonnegative(),
  deleteProtected: z.boolean(),
  createdAt: timeSchema,
  /** Its file, until all of it is here. */
  upload: z.object({ fileName: z.string(), bytes: z.int(), mine: z.boolean() }).nullable(),
  /** The work on it under way, if any. */
  action: actionViewSchema.nullable(),
  can: z.object({
    /** Make a VM from it. */
    use: abilitySchema,
    /** Build or download it, or try to take it in again. */
    make: abilitySchema,
    cancel: abilitySchema,
    change: abilitySchema,
    delete: abilitySchema,
  }),
})
export type ImageView = z.infer<typeof imageViewSchema>

export const imageBuildInputSchema = z.object({ imageUid: imageUidSchema })
export const imageRefInputSchema = z.object({ id: idSchema })

/** `home`: every project may use it (administrators only); `project`: only the one it belongs to. */
const visibilitySchema = z.enum(['home', 'project'])
export type Visibility = z.infer<typeof visibilitySchema>

/** What a person says of an image of their own. */
const factsSchema = z.object({
  name: z.string().trim().min(1, 'Give the image a name.').max(63, 'A name has at most 63 characters.'),
  description: z.string().trim().max(500, 'A description has at most 500 characters.').default(''),
  version: z.string().trim().max(40).default(''),
  visibility: visibilitySchema.default('project'),
  /** Whether it runs cloud-init, which sets users, keys and the name at the first start. */
  cloudInit: z.boolean().default(true),
  loginUser: z
    .string()
    .trim()
    .max(32)
    .regex(/^[a-z_][a-z0-9_-]*$/, 'A user name has lower-case letters, digits, hyphens and underscores.')
    .nullable()
    .default(null),
  minMemoryBytes: z
    .int()
    .min(64 * MIB, 'At least 64 MiB.')
    .max(64 * 1024 * MIB)
    .default(512 * MIB),
})
export type ImageFacts = z.infer<typeof factsSchema>

/** A SHA-256 or SHA-512 as people paste it; which one it is shows in its length. */
const pastedChecksumSchema = z
  .string()
  .trim()
  .toLowerCase()
  .regex(
    /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/,
    'A checksum is a SHA-256 (64 digits) or a SHA-512 (128 digits) in hexadecimal.',
  )
  .transform((hex) => checksumSchema.parse({ algorithm: hex.length === 64 ? 'sha256' : 'sha512', hex }))

export const imageImportInputSchema = factsSchema.extend({
  projectId: idSchema.optional(),
  url: z
    .string()
    .trim()
    .max(2048)
    .regex(/^https?:\/\/[^\s/]+\/\S*$/i, 'An address begins with https:// or http:// and names a file.'),
  checksum: pastedChecksumSchema.nullish(),
})
export type ImageImportInput = z.infer<typeof imageImportInputSchema>

export const imageUploadInputSchema = factsSchema.extend({
  projectId: idSchema.optional(),
  fileName: z.string().min(1).max(255),
  bytes: z
    .int()
    .positive('The file is empty.')
    .max(imageLimits.fileBytes, 'The file is larger than Hearth takes.'),
  checksum: pastedChecksumSchema.nullish(),
})
export type ImageUploadInput = z.infer<typeof imageUploadInputSchema>

export const imageFromVmInputSchema = factsSchema
  .pick({ name: true, description: true, visibility: true })
  .extend({ vmId: idSchema })
export type ImageFromVmInput = z.infer<typeof imageFromVmInputSchema>

export const imageUpdateInputSchema = z.object({
  id: idSchema,
  name: factsSchema.shape.name.optional(),
  description: z.string().trim().max(500).optional(),
  deleteProtected: z.boolean().optional(),
  visibility: visibilitySchema.optional(),
})
export type ImageUpdateInput = z.infer<typeof imageUpdateInputSchema>

export const imageSettingsSchema = z.object({
  /** Whether images may be fetched from addresses of the own network. */
  allowPrivateImports: z.boolean(),
})
