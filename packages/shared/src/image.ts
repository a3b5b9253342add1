import { z } from 'zod'
import { imageUidSchema } from './names.ts'

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
  /** Whole-disk raw image, or null when the VM runs from its initrd alone. */
  disk: z.object({ file: z.string(), bytes: z.int().positive() }).nullable(),
  /** For direct boot. */
  kernel: z.string(),
  initrd: z.string(),
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
export const recipeSchema = imageManifestSchema.pick({
  imageUid: true,
  name: true,
  description: true,
  recipeHash: true,
  cloudInit: true,
  graphical: true,
  loginUser: true,
  minMemoryBytes: true,
  minDiskBytes: true,
})
export type Recipe = z.infer<typeof recipeSchema>

/** An image as a host sees it. `absent` can be built; `ready` can be used. */
export const imageReportSchema = recipeSchema.extend({
  status: z.enum(['absent', 'building', 'ready', 'failed']),
  progress: z.int().min(0).max(100),
  step: z.string(),
  error: z.string().nullable(),
  /** Bytes the image takes on the host; 0 while absent. */
  storedBytes: z.int().nonnegative(),
})
export type ImageReport = z.infer<typeof imageReportSchema>

/**
 * The image builder is a small HTTP server that runs outside the lab, at full speed (LAB.md), on loopback,
 * with `Authorization: Bearer <token>`:
 *   GET  /recipes                 → Recipe[]
 *   POST /recipes/<imageUid>/build → 200 application/x-ndjson, one BuildEvent a line; a second caller joins
 *                                    the build under way; ends with `done` or `failed`. Closing the
 *                                    connection does not stop a build.
 *   GET  /healthz                 → 200
 * A finished image lies in the image store both sides see at the same path.
 */
export const buildEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: z.int().min(0).max(100), step: z.string() }),
  z.object({ type: z.literal('done'), imageUid: imageUidSchema }),
  z.object({ type: z.literal('failed'), message: z.string() }),
])
export type BuildEvent = z.infer<typeof buildEventSchema>
