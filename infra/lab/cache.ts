import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { lockFile } from './file-lock.ts'

/**
 * The folder `<cacheDir>/<name>`, made once: `make` fills a temporary folder that is renamed when it is complete, so
 * a folder that exists is whole. Two processes that want the same one at once make it once. `name` carries
 * the version or the hash of everything that goes in.
 */
export async function cachedFolder(
  cacheDir: string,
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = path.join(cacheDir, name)
  if (await exists(folder)) return folder
  await using _lock = await lockFile(path.join(cacheDir, `.${name}.lock`))
  if (await exists(folder)) return folder
  // Whoever holds the lock is the only maker: half-made folders of this name were left by a crash.
  for (const entry of await readdir(cacheDir)) {
    if (entry.startsWith(`.${name}.making-`)) await rm(path.join(cacheDir, entry), { recursive: true })
  }
  const making = path.join(cacheDir, `.${name}.making-${randomBytes(4).toString('hex')}`)
  await mkdir(making, { recursive: true })
  try {
    await make(making)
    await rename(making, folder)
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    throw error
  }
  return folder
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
