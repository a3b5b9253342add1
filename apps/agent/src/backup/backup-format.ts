/**
 * What a backup looks like on its disk: plain files that standard tools put together again without Hearth
 * (docs/backups.md). One folder a VM:
 *
 *   <target>/hearth-backups.json                         tells the right disk from an empty mount point
 *   <target>/<vmUid>/chunks/<2 digits>/<name>.zst        4 MiB of a disk each, named by what they hold (vault.ts)
 *   <target>/<vmUid>/<backupUid>/backup.json             whose, when, which files
 *   <target>/<vmUid>/<backupUid>/disk.raw.chunks         a line a chunk: its name, or `-` for nothing but zeros
 *
 * A chunk that was there already is not written again: that makes every backup after the first incremental, and yet
 * each is whole by itself. A backup counts from when its folder has its name, which is the last thing written.
 */
import { createHash } from 'node:crypto'
import { backupUidSchema } from '@hearth/shared/backup'
import { snapshotConsistencySchema } from '@hearth/shared/snapshot'
import { MIB } from '@hearth/shared/units'
import { vmSpecSchema } from '@hearth/shared/vm-spec'
import { z } from 'zod'
import { vmRecordSchema } from '../store/vm-store.ts'

export const markerName = 'hearth-backups.json'
export const manifestName = 'backup.json'
export const chunksFolder = 'chunks'
/** Small enough that a changed file costs little, large enough that a TiB has 262144 of them. */
export const chunkBytes = 4 * MIB

export const markerSchema = z.object({
  v: z.literal(1),
  targetUid: z.uuid(),
  /** Absent: nothing is encrypted. */
  encryption: z.object({ cipher: z.literal('aes-256-ctr'), check: z.string() }).optional(),
})

const fileSchema = z.object({
  /** `disk.raw`, `kernel` …, `volume-<uid>.raw`: a plain name, for it becomes a path. */
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,80}$/),
  bytes: z.int().nonnegative(),
  /** Of the list of its chunks, which in turn names each by its own sum. */
  listSha256: z.string(),
})

export const manifestSchema = z.object({
  v: z.literal(1),
  backupUid: backupUidSchema,
  takenAt: z.iso.datetime({ precision: 3 }),
  consistency: snapshotConsistencySchema,
  spec: vmSpecSchema,
  boot: vmRecordSchema.shape.boot,
  chunkBytes: z.literal(chunkBytes),
  files: z.array(fileSchema),
  storedBytes: z.int().nonnegative(),
})
export type BackupManifest = z.infer<typeof manifestSchema>
export type BackupFile = z.infer<typeof fileSchema>

export const volumeFileName = (volumeUid: string): string => `volume-${volumeUid}.raw`
export const listName = (file: string): string => `${file}.chunks`

/** null is a chunk of zeros, which nothing is kept of. */
export type ChunkList = (string | null)[]

export function formatChunkList(list: ChunkList): string {
  return list.map((sum) => `${sum ?? '-'}\n`).join('')
}

/** Throws what is wrong with it, for the log. */
export function parseChunkList(text: string, file: BackupFile): ChunkList {
  if (createHash('sha256').update(text).digest('hex') !== file.listSha256)
    throw new Error(`${listName(file.name)} was changed`)
  const lines = text.split('\n').slice(0, -1)
  if (lines.length !== Math.ceil(file.bytes / chunkBytes))
    throw new Error(`${listName(file.name)} has ${lines.length} lines`)
  return lines.map((line) => {
    if (line !== '-' && !isChunkName(line)) throw new Error(`${listName(file.name)} has a line ${line}`)
    return line === '-' ? null : line
  })
}

export const isChunkName = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)
