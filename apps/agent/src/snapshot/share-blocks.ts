/** Whether the file system below a folder shares blocks between files (reflink): then a copy of a disk is instant. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../host/command.ts'
import { temporaryPrefix } from '../store/atomic-file.ts'

const known = new Map<string, Promise<boolean>>()

export function canShareBlocks(folder: string): Promise<boolean> {
  const answer = known.get(folder) ?? tryIt(folder)
  known.set(folder, answer)
  return answer
}

/** Tried rather than looked up: XFS can only if it was made so, and overlays hide what is below them. */
async function tryIt(folder: string): Promise<boolean> {
  const from = join(folder, `${temporaryPrefix}share-from`)
  const to = join(folder, `${temporaryPrefix}share-to`)
  try {
    await writeFile(from, Buffer.alloc(4096, 1))
    await run('cp', ['--reflink=always', '--', from, to])
    return true
  } catch {
    return false
  } finally {
    await rm(from, { force: true })
    await rm(to, { force: true })
  }
}
