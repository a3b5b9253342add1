/** Backups: what the API's model only has as images of a kind, under a prefix of its own. */
import { nameSchema } from '@hearth/shared/names'
import { snapshotConsistencySchema } from '@hearth/shared/snapshot'
import { GIB } from '@hearth/shared/units'
import { z } from 'zod'
import { inProject, on } from '../auth/privilege.ts'
import { type BackupView, backupViewSchema } from '../views/backup.ts'
import { imageIds } from './actions.ts'
import { toAction } from './mappers.ts'
import { metaSchema, pageOf, pageQuerySchema } from './paging.ts'
import { route } from './route.ts'
import { actionSchema, idPathSchema } from './schemas.ts'

const tag = 'Backups'

const backupSchema = z
  .object({
    id: z.int(),
    server: z.int().nullable().describe('null: it is gone'),
    server_name: z.string().describe('As it was called then'),
    status: backupViewSchema.shape.status,
    damaged: z.boolean(),
    scheduled: z.boolean(),
    consistency: snapshotConsistencySchema.nullable(),
    size: z.number().describe('Of all its disks; GB, powers of two'),
    stored_size: z.number().describe('What it added to the backup disk; GB, powers of two'),
    created: z.string(),
  })
  .meta({ id: 'Backup' })

const gb = (bytes: number) => Math.round((bytes / GIB) * 1000) / 1000

const toBackup = (view: BackupView): z.input<typeof backupSchema> => ({
  id: view.id,
  server: view.vm?.id ?? null,
  server_name: view.vmName,
  status: view.status,
  damaged: view.damaged,
  scheduled: view.scheduled,
  consistency: view.consistency,
  size: gb(view.bytes),
  stored_size: gb(view.storedBytes),
  created: view.takenAt,
})

const actionAnswer = z.object({ action: actionSchema })

export const backupRoutes = [
  route({
    method: 'GET',
    pattern: '/hearth/backups',
    summary: 'All backups, newest first',
    tag,
    privilege: inProject('viewer'),
    status: 200,
    query: pageQuerySchema.extend({ server: z.coerce.number().int().positive().optional() }),
    response: z.object({ backups: z.array(backupSchema), meta: metaSchema }),
    async handle(rest, { query, viewer }) {
      const { backups } = await rest.services.backups.list(viewer)
      const found = backups.filter(({ vm }) => query.server === undefined || vm?.id === query.server)
      const { items, meta } = pageOf(found.map(toBackup), query)
      return { backups: items, meta }
    },
  }),
  route({
    method: 'GET',
    pattern: '/hearth/backups/{id}',
    summary: 'One backup',
    tag,
    privilege: on('backup', 'viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ backup: backupSchema }),
    handle: async (rest, { path, viewer }) => ({
      backup: toBackup(await rest.services.backups.get(viewer, path.id)),
    }),
  }),
  route({
    method: 'POST',
    pattern: '/servers/{id}/actions/create_backup',
    summary: 'Back a server up now',
    tag: 'Server Actions',
    privilege: on('vm', 'member'),
    status: 201,
    path: idPathSchema,
    response: z.object({ backup: backupSchema, action: actionSchema }),
    async handle(rest, { path, viewer, idempotencyKey }) {
      const { backups } = rest.services
      const { backupId, action } = await backups.take(viewer, { vmId: path.id, idempotencyKey })
      return {
        backup: toBackup(await backups.get(viewer, backupId)),
        action: toAction(action, await imageIds(rest)),
      }
    },
  }),
  route({
    method: 'POST',
    pattern: '/hearth/backups/{id}/actions/verify',
    summary: 'Read all of a backup again',
    tag,
    privilege: on('backup', 'member'),
    status: 201,
    path: idPathSchema,
    response: actionAnswer,
    async handle(rest, { path, viewer, idempotencyKey }) {
      const action = await rest.services.backups.verify(viewer, { id: path.id, idempotencyKey })
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
  route({
    method: 'POST',
    pattern: '/hearth/backups/{id}/actions/restore',
    summary: 'Put a backup back into its server, which is off',
    tag,
    privilege: on('backup', 'member'),
    status: 201,
    path: idPathSchema,
    response: actionAnswer,
    async handle(rest, { path, viewer, idempotencyKey }) {
      const { action } = await rest.services.backups.restore(viewer, { id: path.id, idempotencyKey })
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
  route({
    method: 'POST',
    pattern: '/hearth/backups/{id}/actions/create_server',
    summary: 'Make a new server from a backup, with volumes of its own',
    tag,
    privilege: on('backup', 'member'),
    status: 201,
    path: idPathSchema,
    body: z.object({ name: nameSchema, start_after_create: z.boolean().default(true) }),
    response: z.object({ server: z.int().describe('Its id'), action: actionSchema }),
    async handle(rest, { path, body, viewer, idempotencyKey }) {
      const input = { id: path.id, name: body.name, start: body.start_after_create, idempotencyKey }
      const { vm, action } = await rest.services.backups.createVm(viewer, input)
      return { server: vm.id, action: toAction(action, await imageIds(rest)) }
    },
  }),
  route({
    method: 'DELETE',
    pattern: '/hearth/backups/{id}',
    summary: 'Delete a backup; owners of the project',
    tag,
    privilege: on('backup', 'owner'),
    status: 200,
    path: idPathSchema,
    response: z.object({ action: actionSchema.nullable().describe('null: it was only in the list') }),
    async handle(rest, { path, viewer, idempotencyKey }) {
      const action = await rest.services.backups.delete(viewer, { id: path.id, idempotencyKey })
      return { action: action && toAction(action, await imageIds(rest)) }
    },
  }),
]
