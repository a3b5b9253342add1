/** The image store, one folder an image. A folder with a manifest is whole: it came there by one rename. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type ImageManifest, imageManifestSchema } from '@hearth/shared/image'
import { imageUidSchema } from '@hearth/shared/names'

/** Names that no image can have (imageUidSchema): they begin with a dot. */
const BUILDING = '.building-'
/** Apart from builds: a build tidies away other builds' folders, and downloads go on beside it. */
const FETCHING = '.fetching-'
const REPLACED = '.replaced-'

export async function readManifest(images: string, imageUid: string): Promise<ImageManifest | undefined> {
  const text = await readFile(path.join(images, imageUid, 'image.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const parsed = imageManifestSchema.safeParse(parseJson(text))
  return parsed.success ? parsed.data : undefined
}

/** A folder in the store for a build, so that finishing is a rename. */
export async function buildFolder(
  images: string,
  imageUid: string,
  work: 'build' | 'fetch' = 'build',
): Promise<string> {
  const prefix = work === 'build' ? BUILDING : FETCHING
  const folder = path.join(images, `${prefix}${imageUid}-${randomBytes(4).toString('hex')}`)
  await mkdir(path.join(folder, 'image'), { recursive: true })
  await mkdir(path.join(folder, 'work'))
  return folder
}

/**
 * Puts the image in `<building>/image` in the place of an earlier one. Whoever has a file of that open keeps it; the
 * name is without an image only between two renames.
 */
export async function publish(images: string, building: string, manifest: ImageManifest): Promise<void> {
  const ready = path.join(building, 'image')
  await writeFile(path.join(ready, 'image.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const place = path.join(images, manifest.imageUid)
  const replaced = path.join(images, `${REPLACED}${manifest.imageUid}`)
  await rm(replaced, { recursive: true, force: true })
  if (await exists(place)) await rename(place, replaced)
  await rename(ready, place)
  await rm(replaced, { recursive: true, force: true })
  await rm(building, { recursive: true, force: true })
}

/** Removes what builds that were cut off left behind. Call only while no build runs on this store. */
export async function tidyStore(images: string): Promise<void> {
  await mkdir(images, { recursive: true })
  for (const name of await readdir(images)) {
    const entry = path.join(images, name)
    if (name.startsWith(BUILDING)) await rm(entry, { recursive: true, force: true })
    const replaced = name.startsWith(REPLACED) ? name.slice(REPLACED.length) : undefined
    if (replaced === undefined || !imageUidSchema.safeParse(replaced).success) continue
    // Cut off between the two renames: the earlier image is still the image.
    if (await exists(path.join(images, replaced))) await rm(entry, { recursive: true, force: true })
    else await rename(entry, path.join(images, replaced))
  }
}

/** The same for downloads and imports. Call only when the builder starts: nothing else fetches. */
export async function tidyFetches(images: string): Promise<void> {
  for (const name of await readdir(images).catch(() => [] as string[]))
    if (name.startsWith(FETCHING)) await rm(path.join(images, name), { recursive: true, force: true })
}

/** Takes a finished image away, first by its name, so that no half of it is ever seen. */
export async function removeImage(images: string, imageUid: string): Promise<void> {
  const place = path.join(images, imageUidSchema.parse(imageUid))
  if (!(await exists(place))) return
  const grave = path.join(images, `${FETCHING}removed-${randomBytes(4).toString('hex')}`)
  await rename(place, grave)
  await rm(grave, { recursive: true, force: true })
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
