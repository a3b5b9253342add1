/**
 * Actions on disk, `<state>/actions/<id>.json`: written before an action is accepted and again when it ended,
 * so that after a crash every accepted action is either resumed or ended, and a repeated request finds its first
 * result. Bounded: the oldest finished ones are forgotten.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ActionReport, actionReportSchema } from '@hearth/shared/action'
import { powerOpSchema } from '@hearth/shared/agent-protocol'
import { backupSourceSchema, backupUidSchema } from '@hearth/shared/backup'
import { imageImportSchema, ownImageSchema } from '@hearth/shared/image'
import { imageUidSchema, vmUidSchema } from '@hearth/shared/names'
import { snapshotUidSchema } from '@hearth/shared/snapshot'
import { vmSpecSchema } from '@hearth/shared/vm-spec'
import { volumeFormatSchema, volumeUidSchema } from '@hearth/shared/volume'
import { z } from 'zod'
import { readJson, temporaryPrefix, writeJsonAtomic } from '../store/atomic-file.ts'

const actionRequestSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('create'),
    spec: vmSpecSchema,
    start: z.boolean(),
    snapshotUid: snapshotUidSchema.optional(),
    backup: backupSourceSchema.optional(),
  }),
  z.object({ kind: z.literal('power'), vmUid: vmUidSchema, op: powerOpSchema }),
  z.object({ kind: z.literal('update'), spec: vmSpecSchema }),
  z.object({ kind: z.literal('rebuild'), spec: vmSpecSchema, start: z.boolean() }),
  z.object({ kind: z.literal('delete'), vmUid: vmUidSchema }),
  z.object({ kind: z.literal('snapshot'), vmUid: vmUidSchema, snapshotUid: snapshotUidSchema }),
  z.object({ kind: z.literal('restore'), vmUid: vmUidSchema, snapshotUid: snapshotUidSchema }),
  z.object({ kind: z.literal('delete_snapshot'), vmUid: vmUidSchema, snapshotUid: snapshotUidSchema }),
  z.object({ kind: z.literal('backup'), vmUid: vmUidSchema, backupUid: backupUidSchema }),
  z.object({ kind: z.literal('restore_backup'), vmUid: vmUidSchema, backupUid: backupUidSchema }),
  z.object({ kind: z.literal('verify_backup'), backupUid: backupUidSchema }),
  z.object({ kind: z.literal('delete_backup'), backupUid: backupUidSchema }),
  z.object({
    kind: z.literal('create_volume'),
    volumeUid: volumeUidSchema,
    bytes: z.int(),
    format: volumeFormatSchema,
    attach: vmSpecSchema.optional(),
  }),
  z.object({ kind: z.literal('grow_volume'), volumeUid: volumeUidSchema, bytes: z.int() }),
  z.object({ kind: z.literal('delete_volume'), volumeUid: volumeUidSchema }),
  z.object({ kind: z.literal('build'), imageUid: imageUidSchema }),
  z.object({ kind: z.literal('import'), import: imageImportSchema }),
  z.object({ kind: z.literal('create_image'), vmUid: vmUidSchema, image: ownImageSchema }),
  z.object({ kind: z.literal('delete_image'), imageUid: imageUidSchema }),
])
/** What was asked for: all that is needed to do it again. */
export type ActionRequest = z.infer<typeof actionRequestSchema>

const entrySchema = z.object({
  v: z.literal(1),
  report: actionReportSchema,
  /** Dropped when the action ended: nobody needs it any more, and it may hold a password's hash. */
  request: actionRequestSchema.nullable(),
  bootId: z.string(),
  /** A person no longer wants it: whoever goes on with it takes it back. */
  cancelled: z.boolean().optional(),
})
export type JournalEntry = z.infer<typeof entrySchema>

export const finishedActionsKept = 500

export class ActionJournal {
  readonly #folder: string

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, 'actions')
  }

  /** All entries, oldest first; unreadable ones are returned by name, unfinished files removed. */
  async load(): Promise<{ entries: JournalEntry[]; unreadable: string[] }> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const entries: JournalEntry[] = []
    const unreadable: string[] = []
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name)
      if (name.startsWith(temporaryPrefix)) {
        await rm(path, { force: true })
        continue
      }
      if (!name.endsWith('.json')) continue
      try {
        entries.push(entrySchema.parse(await readJson(path)))
      } catch {
        unreadable.push(path)
      }
    }
    entries.sort((a, b) => compare(a.report, b.report))
    return { entries, unreadable }
  }

  async write(entry: JournalEntry): Promise<void> {
    await writeJsonAtomic(this.#path(entry.report.actionId), entry)
  }

  async forget(actionId: number): Promise<void> {
    await rm(this.#path(actionId), { force: true })
  }

  #path(actionId: number): string {
    return join(this.#folder, `${actionId}.json`)
  }
}

export function compare(a: ActionReport, b: ActionReport): number {
  return a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : a.actionId - b.actionId
}
