/**
 * Copying disks: sharing blocks where the file system can (XFS, Btrfs: instant), sparse everywhere. `cp` does
 * both, in the kernel; Node's copyFile would fill the holes.
 */
import { open, stat } from 'node:fs/promises'
import { throwIfAborted } from '../actions/actions.ts'
import { run } from '../host/command.ts'
import { inWords } from '../host/disk-error.ts'

const progressIntervalMs = 300

export async function copySparse(options: {
  from: string
  to: string
  signal?: AbortSignal
  onProgress?: (fraction: number) => void
}): Promise<void> {
  const { from, to, signal, onProgress } = options
  const total = (await stat(from)).blocks
  const timer = setInterval(() => {
    void stat(to).then(
      (info) => total > 0 && onProgress?.(Math.min(1, info.blocks / total)),
      () => undefined,
    )
  }, progressIntervalMs)
  try {
    await run('cp', ['--reflink=auto', '--sparse=always', '--', from, to], signal ? { signal } : {})
  } catch (error) {
    if (signal?.aborted) throwIfAborted(signal)
    throw inWords(error)
  } finally {
    clearInterval(timer)
  }
  const file = await open(to, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
