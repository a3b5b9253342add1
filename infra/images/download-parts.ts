/** Where unfinished downloads are kept: hidden from whoever looks for images, and for a fortnight at most. */
import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'

const forgetAfterMs = 14 * 24 * 3600 * 1000

const downloadsFolder = (images: string): string => path.join(images, '.downloads')
export const partOf = (images: string, imageUid: string): string =>
  path.join(downloadsFolder(images), `${imageUid}.part`)

/** Forgets a download that is over or not wanted. */
export async function forgetDownload(part: string): Promise<void> {
  await rm(part, { force: true })
  await rm(`${part}.json`, { force: true })
}

export async function tidyDownloads(images: string, now = Date.now()): Promise<void> {
  const folder = downloadsFolder(images)
  for (const name of await readdir(folder).catch(() => [] as string[])) {
    const info = await stat(path.join(folder, name)).catch(() => null)
    if (info && now - info.mtimeMs > forgetAfterMs) await rm(path.join(folder, name), { force: true })
  }
}
