/** One backup as what it is: found, ready, and what it holds. */
import { HearthError } from '@hearth/shared/errors'
import { parseVmSpec } from '@hearth/shared/vm-spec'
import { z } from 'zod'
import type { Queries } from '../db/client.ts'
import { type BackupRow, backupInclude, backupStatusSchema, notReady } from './backup-view.ts'
import { notFound } from './errors.ts'

export type { BackupRow } from './backup-view.ts'

export async function findBackup(queries: Queries, id: number): Promise<BackupRow> {
  const row = await queries.backup.findFirst({ where: { id, deletedAt: null }, include: backupInclude })
  if (!row) throw notFound('backup')
  return row
}

export function requireReadyBackup(row: BackupRow): void {
  const why = notReady[backupStatusSchema.parse(row.status)]
  if (why !== null) throw new HearthError('invalid_state', why)
}

export const dayOf = (row: Pick<BackupRow, 'takenAt'>): string => row.takenAt.toISOString().slice(0, 10)

export const volumesInSchema = z.array(z.object({ volumeUid: z.uuid(), bytes: z.int() }))
export const specOf = (row: Pick<BackupRow, 'spec'>) => parseVmSpec(JSON.parse(row.spec))
