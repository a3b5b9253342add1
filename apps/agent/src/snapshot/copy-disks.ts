/**
 * Copies of a VM's disks, all as they were in one moment. A guest that runs is held still for that moment only: where
 * the file system shares blocks the whole copy takes no longer; elsewhere its disks are copied while it goes on, its
 * monitor notes what it writes meanwhile, and only the last of that is copied while it is held.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HearthError } from '@hearth/shared/errors'
import type { SnapshotConsistency } from '@hearth/shared/snapshot'
import { MIB } from '@hearth/shared/units'
import {
  type VmmDiskChanges,
  type VmmDiskChangesParams,
  vmmDiskChangesSchema,
} from '@hearth/shared/vmm-control'
import { type ActionProgress, throwIfAborted } from '../actions/actions.ts'
import { copySparse } from '../image/copy-file.ts'
import { whileHeldStill } from '../vm/hold-still.ts'
import type { Vm } from '../vm/vm.ts'
import { canShareBlocks } from './share-blocks.ts'

export interface DiskCopy {
  from: string
  /** Must not be there yet; all copies lie in one file system. */
  to: string
}

interface CopyProgress {
  signal: AbortSignal
  copying: (fraction: number) => void
  holding: () => void
}

export interface CopiedDisks {
  /** Everything the guest may write while it runs; whole, with the same moment in each. */
  consistency: SnapshotConsistency
  takenAt: string
}

/** Little enough to be copied while the guest is held: a fraction of a second on any disk. */
const littleBytes = 16 * MIB
/** A guest that writes as fast as its disk is read is never caught up with: then it is held for longer. */
const mostRounds = 6
const pieceBytes = 1 * MIB
const endingMs = 10_000
/** For an answer out of memory, from a monitor whose host may be busy. */
const answerMs = 30_000

class NobodyKnows extends Error {}

/** `progress` goes from 5 to `upTo`. Whatever is left in `to` after a failure is the caller's to remove. */
export async function copyDisks(
  vm: Vm,
  copies: readonly DiskCopy[],
  action: ActionProgress,
  upTo: number,
): Promise<CopiedDisks> {
  const progress = {
    signal: action.signal,
    copying: (fraction: number) => action.report(5 + fraction * (upTo - 5), 'Copying the disk'),
    holding: () => action.report(5, 'Holding the guest still'),
  }
  const [first] = copies
  const instant = first === undefined || (await canShareBlocks(dirname(first.to)))
  if (instant || !vm.hasProcess || !(await beginNoting(vm, copies)))
    return atOneMoment(vm, progress, () => copyAll(copies, progress))
  try {
    return await copyWhileItRuns(vm, copies, progress)
  } catch (error) {
    throwIfAborted(progress.signal)
    // A monitor that ends is silent first, to whatever it is asked, and gone a moment later.
    const silent =
      error instanceof NobodyKnows || (error instanceof HearthError && error.code === 'vmm_failed')
    if (!silent || !(await vm.untilStopped(endingMs))) {
      for (const { from } of notedOf(vm, copies)) await diskChanges(vm, from, 'end').catch(() => undefined)
      throw error
    }
    // What its guest wrote meanwhile is not known any more; at rest it can be copied as it is.
    return atOneMoment(vm, progress, () => copyAll(copies, progress))
  }
}

async function copyWhileItRuns(
  vm: Vm,
  copies: readonly DiskCopy[],
  progress: CopyProgress,
): Promise<CopiedDisks> {
  const noted = notedOf(vm, copies)
  // The monitor writes these as a whole, and they are small.
  const small = copies.filter(({ from }) => from === vm.files.uefiVariables)
  await copyAll(
    copies.filter((copy) => !small.includes(copy)),
    progress,
  )
  let before = Number.POSITIVE_INFINITY
  for (let round = 0; round < mostRounds; round++) {
    const bytes = await follow(vm, noted, 'go-on', progress.signal)
    if (bytes <= littleBytes || bytes > before * 0.8) break
    before = bytes
  }
  const copied = await atOneMoment(vm, progress, async () => {
    await follow(vm, noted, 'end', progress.signal)
    for (const copy of small) await copySparse({ ...copy, signal: progress.signal })
  })
  for (const { to } of noted) await syncFile(to)
  return copied
}

/**
 * A guest that runs is held still while its disk is copied. Its disk is then as after a power cut, unless its agent
 * has its file systems written out before.
 */
async function atOneMoment(vm: Vm, progress: CopyProgress, copy: () => Promise<void>): Promise<CopiedDisks> {
  const { hasProcess } = vm
  if (hasProcess) progress.holding()
  return whileHeldStill(vm, async (frozen) => {
    const takenAt = new Date().toISOString()
    await copy()
    const consistency = frozen ? 'frozen' : hasProcess || vm.state === 'suspended' ? 'paused' : 'stopped'
    return { consistency, takenAt }
  })
}

/** The copies of what the guest itself writes. */
function notedOf(vm: Vm, copies: readonly DiskCopy[]): DiskCopy[] {
  const volumes = (vm.spec.volumes ?? []).map(({ volumeUid }) => vm.volumePath(volumeUid))
  return copies.filter(({ from }) => from === vm.files.disk || volumes.includes(from))
}

/** What the guest has written to a disk since that was last told; rejects when nobody knows. */
async function diskChanges(
  vm: Vm,
  path: string,
  note: VmmDiskChangesParams['note'],
): Promise<VmmDiskChanges> {
  return vmmDiskChangesSchema.parse(await vm.ask('disk-changes', { path, note }, answerMs))
}

/** False where the monitor cannot: one that was started by an earlier Hearth, or a unikernel's. */
async function beginNoting(vm: Vm, copies: readonly DiskCopy[]): Promise<boolean> {
  try {
    for (const { from } of notedOf(vm, copies)) await diskChanges(vm, from, 'begin')
    return true
  } catch {
    return false
  }
}

async function copyAll(copies: readonly DiskCopy[], { signal, copying }: CopyProgress): Promise<void> {
  for (const [i, copy] of copies.entries()) {
    const onProgress = (fraction: number) => copying((i + fraction) / copies.length)
    onProgress(0)
    await copySparse({ ...copy, signal, onProgress })
  }
}

/** Copies what was written since the last time; how much it was. */
async function follow(
  vm: Vm,
  copies: readonly DiskCopy[],
  note: 'go-on' | 'end',
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0
  for (const copy of copies) {
    const { granuleBytes, bits } = await diskChanges(vm, copy.from, note).catch((cause: unknown) => {
      throw new NobodyKnows('what the guest writes is not known any more', { cause })
    })
    bytes += await copyRanges(copy, rangesOf(Buffer.from(bits, 'base64'), granuleBytes), signal)
  }
  return bytes
}

/** Runs of marked granules, in order. */
function* rangesOf(bits: Uint8Array, granuleBytes: number): Generator<{ offset: number; length: number }> {
  const has = (i: number) => (bits[i >>> 3]! & (1 << (i & 7))) !== 0
  const count = bits.length * 8
  for (let i = 0; i < count; i++) {
    if (bits[i >>> 3] === 0) {
      i |= 7
      continue
    }
    if (!has(i)) continue
    const start = i
    while (i < count && has(i)) i++
    yield { offset: start * granuleBytes, length: (i - start) * granuleBytes }
  }
}

async function copyRanges(
  { from, to }: DiskCopy,
  ranges: Iterable<{ offset: number; length: number }>,
  signal: AbortSignal,
): Promise<number> {
  const source = await open(from, 'r')
  try {
    const target = await open(to, 'r+')
    try {
      const buffer = Buffer.allocUnsafe(pieceBytes)
      let bytes = 0
      for (const { offset, length } of ranges)
        for (let at = offset; at < offset + length; ) {
          throwIfAborted(signal)
          const wanted = Math.min(pieceBytes, offset + length - at)
          const { bytesRead } = await source.read(buffer, 0, wanted, at)
          // The last granule may reach beyond the end of the disk.
          if (bytesRead === 0) break
          await writeWhole(target, buffer.subarray(0, bytesRead), at)
          at += bytesRead
          bytes += bytesRead
        }
      return bytes
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function writeWhole(file: FileHandle, from: Buffer, position: number): Promise<void> {
  for (let done = 0; done < from.length; ) {
    const { bytesWritten } = await file.write(from, done, from.length - done, position + done)
    done += bytesWritten
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
