/** The distributions' cloud images: `distributions.json`, checked when it is read, each as a recipe that downloads. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { imageUidSchema } from '@hearth/shared/names'
import { GIB, MIB } from '@hearth/shared/units'
import { z } from 'zod'
import type { RecipeDefinition } from '../recipes/recipe.ts'
import { fetchImage, type SignedList } from './fetch-image.ts'

const httpsSchema = z.url({ protocol: /^https$/ })

const distributionSchema = z.strictObject({
  imageUid: imageUidSchema,
  name: z.string().min(1),
  version: z.string(),
  description: z.string(),
  /** May lead to a mirror without encryption: the checksum decides. */
  url: httpsSchema,
  /** The distribution's own list; fetched over https at the time of the download, and only over https. */
  checksum: z.strictObject({
    list: httpsSchema,
    algorithm: z.enum(['sha256', 'sha512']),
    /** Its OpenPGP signature: at an address of its own, or around the list itself. */
    signature: z
      .strictObject({
        url: httpsSchema.optional(),
        /** A file in `keys/`, and which key has to be in it. */
        key: z.string().regex(/^[a-z0-9.-]+\.asc$/),
        fingerprint: z.string().regex(/^[0-9A-F]{40}$/),
      })
      .optional(),
  }),
  loginUser: z.string().regex(/^[a-z][a-z0-9-]*$/),
  minMemoryMib: z.int().positive(),
  minDiskGib: z.int().positive(),
  /** About how much is downloaded: what the catalogue says before the server does. */
  aboutMib: z.int().positive(),
})
export type Distribution = z.infer<typeof distributionSchema>

export const distributions: readonly Distribution[] = z
  .array(distributionSchema)
  .parse(JSON.parse(readFileSync(path.join(import.meta.dirname, 'distributions.json'), 'utf8')))

/** `rules`: tests take a distribution's place with a server of their own. */
export function distributionRecipe(
  distribution: Distribution,
  rules: { allowPrivate: boolean; list?: SignedList } = { allowPrivate: false },
): RecipeDefinition {
  const { imageUid, name, version, description, url, checksum, loginUser } = distribution
  return {
    imageUid,
    name,
    version,
    description,
    recipeHash: createHash('sha256').update(JSON.stringify(distribution)).digest('hex').slice(0, 32),
    kind: 'disk',
    source: 'download',
    boot: 'firmware',
    origin: url,
    cloudInit: true,
    loginUser,
    minMemoryBytes: distribution.minMemoryMib * MIB,
    minDiskBytes: distribution.minDiskGib * GIB,
    downloadBytes: distribution.aboutMib * MIB,
    build: (context) =>
      fetchImage(context, {
        imageUid,
        from: {
          type: 'address',
          url,
          checksum: rules.list ?? listOf(checksum),
          allowPrivate: rules.allowPrivate,
        },
        minDiskBytes: distribution.minDiskGib * GIB,
      }),
  }
}

function listOf({ list, algorithm, signature }: Distribution['checksum']): SignedList {
  if (!signature) return { list, algorithm }
  const { url, key, fingerprint } = signature
  return { list, algorithm, signature: { url, key: { armored: keyFile(key), fingerprint } } }
}

export function keyFile(name: string): string {
  return readFileSync(path.join(import.meta.dirname, 'keys', name), 'utf8')
}
