/** From a file somebody else made to what an image holds: a raw, sparse disk, or the ISO as it is. */
import { chmod, chown, mkdir, rename, rm, stat, statfs, truncate } from 'node:fs/promises'
import path from 'node:path'
import { formatBytes, MIB } from '@hearth/shared/units'
import { BuildError } from '../recipes/build-error.ts'
import type { DiskFormat } from './disk-format.ts'
import { JailError, jailUid, mayBecomeJailUser, runJailed } from './jail.ts'

export interface ConvertOptions {
  readonly source: string
  readonly format: DiskFormat
  /** The disk to write; on one file system with `work`. */
  readonly target: string
  readonly work: string
  readonly signal: AbortSignal
  readonly log: (text: string) => void
  readonly onProgress: (fraction: number) => void
}

/** `source` stays as it is. The target is as long as `format.bytes`, with holes where there is nothing. */
export async function convertDisk(options: ConvertOptions): Promise<void> {
  const { source, format, target, signal, log, onProgress } = options
  const work = path.join(options.work, 'convert')
  await mkdir(work, { recursive: true, mode: 0o700 })
  const foreign = mayBecomeJailUser()
  if (foreign) await chown(work, jailUid, jailUid)
  const jail = { source, work, signal, log, fileBytes: format.bytes }
  try {
    // -f: never guessed, so that a raw disk whose guest wrote a qcow2 header into it stays a raw disk.
    await runJailed(
      ['qemu-img', 'convert', '-p', '-f', format.format, '-O', 'raw', '-S', '4k', '/source', '/out/disk.raw'],
      {
        ...jail,
        onOutput(text) {
          const percent = [...text.matchAll(/\((\d+(?:\.\d+)?)\/100%\)/g)].at(-1)?.[1]
          if (percent !== undefined) onProgress(Number(percent) / 100)
        },
      },
    )
    const made = path.join(work, 'disk.raw')
    const { size } = await stat(made)
    if (size > format.bytes) throw new BuildError('The converted disk is longer than the image said it is.')
    // A VM's disk is whole MiB; what is missing to that is a hole.
    await truncate(made, format.bytes)
    if (foreign) await chown(made, 0, 0)
    await chmod(made, 0o644)
    await rename(made, target)
  } catch (error) {
    if (error instanceof JailError) throw await explain(error, options)
    throw error
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function explain(error: JailError, { target }: ConvertOptions): Promise<BuildError> {
  const disk = await statfs(path.dirname(target)).catch(() => null)
  if (/no space left/i.test(error.stderr) || (disk && disk.bavail * disk.bsize < MIB))
    return new BuildError(
      `The disk filled up while the image was unpacked (${formatBytes((disk?.bavail ?? 0) * (disk?.bsize ?? 0))} free). Free some space and try again.`,
    )
  const last = error.stderr.split('\n').at(-1) ?? ''
  return new BuildError(`The image is damaged or holds what Hearth does not take: ${last || error.message}`, {
    cause: error,
  })
}
