import path from 'node:path'

/** The root of the repository. */
export const repository = path.resolve(import.meta.dirname, '../..')
/** What can be made again at any time: packages unpacked, kernels, lab parts. */
export const cacheDirectory = process.env.HEARTH_CACHE ?? path.join(repository, '.cache/hearth')
export const inRepository = (...parts: string[]): string => path.join(repository, ...parts)
