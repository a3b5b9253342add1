import { z } from 'zod'
import { imageUidSchema } from './names.ts'
import { GIB, MIB } from './units.ts'

/** `disk`: a whole disk (or none) that VMs are copied from. `iso`: a CD that a VM is installed from. */
export const imageKinds = ['disk', 'iso'] as const
export type ImageKind = (typeof imageKinds)[number]

/** Where an image comes from: built here, a distribution's own, an address, a file of somebody's, a VM's disk. */
export const imageSources = ['build', 'download', 'import', 'upload', 'vm'] as const
export type ImageSource = (typeof imageSources)[number]

/** How a VM starts from it: the kernel kept beside the image, or firmware that reads the disk (or CD). */
export const imageBoots = ['direct', 'firmware'] as const
export type ImageBoot = (typeof imageBoots)[number]

/** The ways of starting that this version's monitor and agent have. The one place that says so. */
export const supportedBoots: readonly ImageBoot[] = ['direct', 'firmware']

/** Why no VM can be made from such an image yet; null when one can. */
export function whyNotBootable(image: { kind: ImageKind; boot: ImageBoot; name: string }): string | null {
  if (supportedBoots.includes(image.boot)) return null
  return `${image.name} starts by firmware (BIOS or UEFI), which this version of Hearth does not do yet. The image is kept for when it does.`
}

/** Limits of what is taken in from outside. Bytes. */
export const imageLimits = {
  /** Of a file as it is fetched or uploaded. */
  fileBytes: 256 * GIB,
  /** Of the disk inside it. */
  diskBytes: 2048 * GIB,
  /** One request of an upload carries at most this. */
  uploadChunkBytes: 16 * MIB,
} as const

/**
 * `image.json` in an image's folder `<images>/<imageUid>/`. Written last, by rename of the whole folder:
 * an image that can be seen is complete. File names are relative to that folder.
 */
export const imageManifestSchema = z.object({
  v: z.literal(1),
  imageUid: imageUidSchema,
  /** For people: "Debian 12". */
  name: z.string(),
  description: z.string(),
  /** Changes when the recipe changes; a rebuilt image replaces the folder. */
  recipeHash: z.string(),
  builtAt: z.iso.datetime({ precision: 3 }),
  kind: z.enum(imageKinds).default('disk'),
  source: z.enum(imageSources).default('build'),
  boot: z.enum(imageBoots).default('direct'),
  /** Of the distribution, for people: "13"; empty when nobody knows. */
  version: z.string().default(''),
  /** For people: the address it was fetched from, the file that was uploaded, the VM it was made of. */
  origin: z.string().default(''),
  /** SHA-256 of the file as it was fetched or uploaded, before any conversion; lower-case hexadecimal. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .default(null),
  /** Whole-disk raw image, or null when the VM runs from its initrd alone. */
  disk: z.object({ file: z.string(), bytes: z.int().positive() }).nullable(),
  /** For direct boot; null with firmware. */
  kernel: z.string().nullable(),
  initrd: z.string().nullable(),
  cmdline: z.string(),
  cloudInit: z.boolean(),
  /** It draws on a screen: its VMs get one unless somebody says otherwise. */
  graphical: z.boolean().optional(),
  /** The user cloud-init is told to make when the person names none; null without cloud-init. */
  loginUser: z.string().nullable(),
  minMemoryBytes: z.int().positive(),
  minDiskBytes: z.int().nonnegative(),
})
export type ImageManifest = z.infer<typeof imageManifestSchema>

/** What the catalogue says of a recipe before its image exists. */
export const recipeSchema = imageManifestSchema
  .pick({
    imageUid: true,
    name: true,
    description: true,
    recipeHash: true,
    kind: true,
    source: true,
    boot: true,
    version: true,
    origin: true,
    cloudInit: true,
    graphical: true,
    loginUser: true,
    minMemoryBytes: true,
    minDiskBytes: true,
  })
  .extend({
    /** About how much is fetched for it; 0 when nothing is. */
    downloadBytes: z.int().nonnegative().default(0),
  })
export type Recipe = z.infer<typeof recipeSchema>

/** How far a transfer is. `totalBytes` is null while the other side has not said it. */
export const transferSchema = z.object({
  bytes: z.int().nonnegative(),
  totalBytes: z.int().nonnegative().nullable(),
  bytesPerSecond: z.int().nonnegative(),
})
export type Transfer = z.infer<typeof transferSchema>

/** What a host says as the step of a ready image whose recipe or address is newer than what it was made from. */
export const outdatedStep = 'A newer version can be built'

/** An image as a host sees it. `absent` can be built or downloaded; `ready` can be used. */
export const imageReportSchema = recipeSchema.extend({
  status: z.enum(['absent', 'building', 'ready', 'failed']),
  progress: z.int().min(0).max(100),
  step: z.string(),
  error: z.string().nullable(),
  /** Bytes the image takes on the host; 0 while absent. */
  storedBytes: z.int().nonnegative(),
  sha256: z.string().nullable().default(null),
  /** The disk's size as a VM sees it; null while unknown or without one. */
  diskBytes: z.int().nonnegative().nullable().default(null),
  /** While something is being fetched. */
  transfer: transferSchema.nullable().default(null),
})
export type ImageReport = z.infer<typeof imageReportSchema>

/** A checksum that whoever wants an image gives with its address or file. Lower-case hexadecimal. */
export const checksumSchema = z.discriminatedUnion('algorithm', [
  z.object({ algorithm: z.literal('sha256'), hex: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.object({ algorithm: z.literal('sha512'), hex: z.string().regex(/^[0-9a-f]{128}$/) }),
])
export type Checksum = z.infer<typeof checksumSchema>

/** Where an image of somebody's own comes from. */
export const imageOriginSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('address'),
    url: z.url({ protocol: /^https?$/ }).max(2048),
    checksum: checksumSchema.nullable(),
    /** Whether addresses of the own network may be asked: the home's administrators decide. */
    allowPrivate: z.boolean(),
  }),
  z.object({
    type: z.literal('upload'),
    uploadUid: z.uuid(),
    fileName: z.string().max(255),
    bytes: z.int().positive().max(imageLimits.fileBytes),
    checksum: checksumSchema.nullable(),
  }),
])
export type ImageOrigin = z.infer<typeof imageOriginSchema>

/** What a person says of an image of their own. */
export const ownImageSchema = z.object({
  imageUid: imageUidSchema,
  name: z.string().min(1).max(63),
  description: z.string().max(500),
  version: z.string().max(40),
  cloudInit: z.boolean(),
  loginUser: z.string().max(32).nullable(),
  minMemoryBytes: z.int().positive(),
  minDiskBytes: z.int().nonnegative(),
})
export type OwnImage = z.infer<typeof ownImageSchema>

/** An image of somebody's own to be taken in: kind and sizes are found in the file. */
export const imageImportSchema = z.object({ image: ownImageSchema, from: imageOriginSchema })
export type ImageImport = z.infer<typeof imageImportSchema>

/**
 * The image builder is a small HTTP server that runs outside the lab, at full speed (LAB.md), on loopback,
 * with `Authorization: Bearer <token>`:
 *   GET  /recipes                  → Recipe[]
 *   POST /recipes/<imageUid>/build → 200 application/x-ndjson, one BuildEvent a line; a second caller joins
 *                                    the build under way; ends with `done` or `failed`. Closing the
 *                                    connection does not stop a build. Downloads are recipes too.
 *   POST /images/<imageUid>/import ImageImport → the same, for an image of somebody's own
 *   DELETE /images/<imageUid>/work → 204: stops a download or import under way and forgets what it fetched
 *   DELETE /images/<imageUid>      → 204: removes a finished image; also when there is none
 *   HEAD, PATCH, DELETE /uploads/<uploadUid>   see upload.ts
 *   GET  /healthz                  → 200
 * A finished image lies in the image store both sides see at the same path.
 */
export const buildEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('progress'),
    progress: z.int().min(0).max(100),
    step: z.string(),
    transfer: transferSchema.optional(),
  }),
  z.object({ type: z.literal('done'), imageUid: imageUidSchema }),
  z.object({ type: z.literal('failed'), message: z.string() }),
])
export type BuildEvent = z.infer<typeof buildEventSchema>
