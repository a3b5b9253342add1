import os from 'node:os'
import path from 'node:path'

/** The root of the repository. */
export const repository = path.resolve(import.meta.dirname, '../..')
/**
 * What can be made again at any time, kept by content or version: packages unpacked, kernels, built images.
 * Outside the repository, so that a second clone (CI's, a newcomer's) finds what the first one made.
 */
export const cacheDirectory =
  process.env.HEARTH_CACHE ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'hearth')
export const inRepository = (...parts: string[]): string => path.join(repository, ...parts)
