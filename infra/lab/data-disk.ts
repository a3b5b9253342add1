/** The disk on which a lab keeps what must survive it: a sparse file with an XFS that can share blocks (reflink). */
import { mkdir, open, rename, rm, stat, truncate } from 'node:fs/promises'
import path from 'node:path'
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'
import { lockHolder, tryLockFile } from './file-lock.ts'

export interface DataDisk {
  /** Where it is mounted inside the lab. */
  readonly path: string
  /** The file on this machine; made when it is not there. */
  readonly file: string
  /** Size of the disk; the file takes only what is written. A smaller number than it has is ignored. */
  readonly bytes: number
}

export interface OpenDataDisk extends AsyncDisposable {
  /** The file is larger than the file system in it. */
  readonly grown: boolean
}

/** Locks the disk, makes or enlarges it. Disposing gives the lock back. */
export async function openDataDisk(
  disk: DataDisk,
  onDetail: (detail: string) => void,
): Promise<OpenDataDisk> {
  await mkdir(path.dirname(disk.file), { recursive: true })
  const lock = await tryLockFile(`${disk.file}.lock`)
  if (!lock) {
    throw new Trouble(
      `The lab disk ${disk.file} is in use by another lab (${await lockHolder(`${disk.file}.lock`)}). Stop that one first, or use another state folder: two labs on one disk would destroy it.`,
    )
  }
  try {
    const size = (await stat(disk.file).catch(() => undefined))?.size
    if (size === undefined) {
      onDetail('formatting')
      await format(disk)
    } else if (size < disk.bytes) await truncate(disk.file, disk.bytes)
    return {
      grown: size !== undefined && size < disk.bytes,
      [Symbol.asyncDispose]: () => lock.release(),
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Under another name until it is complete: a disk that is there is formatted. */
async function format(disk: DataDisk): Promise<void> {
  const making = `${disk.file}.making`
  await rm(making, { force: true })
  const handle = await open(making, 'wx', 0o600)
  await handle.truncate(disk.bytes)
  await handle.close()
  const result = await run('mkfs.xfs', ['-q', '-L', 'hearth', '-m', 'reflink=1', making]).catch(
    (error: Error) => ({ code: 127, tail: `${error.message} (Debian package xfsprogs)` }),
  )
  if (result.code !== 0) {
    await rm(making, { force: true })
    throw new Trouble(`The lab's disk ${disk.file} could not be formatted:\n${result.tail}`)
  }
  await rename(making, disk.file)
}
