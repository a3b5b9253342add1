/**
 * Of a server: its metrics as the API's model has them, and its snapshots, which here belong to their server and so
 * have addresses below it.
 */

import { nameSchema } from '@hearth/shared/names'
import { snapshotConsistencySchema } from '@hearth/shared/snapshot'
import { GIB } from '@hearth/shared/units'
import { z } from 'zod'
import { on } from '../auth/privilege.ts'
import type { MetricSeries } from '../views/metric.ts'
import { type SnapshotView, snapshotNameSchema } from '../views/snapshot.ts'
import { imageIds } from './actions.ts'
import { RestError } from './errors.ts'
import { toAction } from './mappers.ts'
import { type RestContext, route } from './route.ts'
import { actionSchema, idPathSchema, listOf } from './schemas.ts'

const timeSchema = z.iso.datetime({ offset: true })
const seriesSchema = z.object({ values: z.array(z.tuple([z.number(), z.string()])) })
const kinds = ['cpu', 'disk', 'network'] as const

type Column = Exclude<keyof MetricSeries, 'step' | 'start' | 'end' | 'at'>
const columns: Record<(typeof kinds)[number], readonly (readonly [string, Column])[]> = {
  cpu: [['cpu', 'cpu']],
  disk: [
    ['disk.0.iops.read', 'diskReads'],
    ['disk.0.iops.write', 'diskWrites'],
    ['disk.0.bandwidth.read', 'diskReadBytes'],
    ['disk.0.bandwidth.write', 'diskWriteBytes'],
  ],
  network: [
    ['network.0.pps.in', 'netRxPackets'],
    ['network.0.pps.out', 'netTxPackets'],
    ['network.0.bandwidth.in', 'netRxBytes'],
    ['network.0.bandwidth.out', 'netTxBytes'],
  ],
}

const metrics = route({
  method: 'GET',
  pattern: '/servers/{id}/metrics',
  summary: 'What was measured of a server',
  tag: 'Servers',
  privilege: on('vm', 'viewer'),
  status: 200,
  path: idPathSchema,
  query: z.object({
    type: listOf(z.string()).describe('cpu, disk, network: several joined by commas'),
    start: timeSchema,
    end: timeSchema,
  }),
  response: z.object({
    metrics: z.object({
      start: z.string(),
      end: z.string(),
      step: z.number().describe('Seconds; as fine as is kept of all of the time asked for'),
      time_series: z.record(z.string(), seriesSchema),
    }),
  }),
  async handle(rest, { path, query }) {
    const names = query.type.flatMap((one) => one.split(','))
    const asked = kinds.filter((kind) => names.includes(kind))
    if (asked.length === 0 || names.some((name) => !kinds.some((kind) => kind === name)))
      throw new RestError(422, 'invalid_input', 'type: One or several of cpu, disk, network.')
    const [start, end] = [new Date(query.start), new Date(query.end)]
    if (start >= end) throw new RestError(422, 'invalid_input', 'end: It has to be after start.')
    const series = await rest.services.metrics.between(path.id, start, end)
    const values = (column: Column) =>
      series.at.flatMap((at, index): [number, string][] => {
        const value = series[column][index]
        // CPU in percent of one core, as the model has it.
        return value === null || value === undefined
          ? []
          : [[at / 1000, String(column === 'cpu' ? value * 100 : value)]]
      })
    const pairs = asked.flatMap((kind) => columns[kind])
    return {
      metrics: {
        start: start.toISOString(),
        end: end.toISOString(),
        step: series.step,
        time_series: Object.fromEntries(pairs.map(([name, column]) => [name, { values: values(column) }])),
      },
    }
  },
})

const cancelCreation = route({
  method: 'POST',
  pattern: '/servers/{id}/actions/cancel_create',
  summary: 'End the creation of a server, which then leaves nothing',
  tag: 'Server Actions',
  privilege: on('vm', 'member'),
  status: 201,
  path: idPathSchema,
  response: z.object({ action: actionSchema }),
  async handle(rest, { path, viewer }) {
    const { action } = await rest.services.vms.cancel(viewer, path.id)
    return { action: toAction(action, await imageIds(rest)) }
  },
})

const snapshotSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    server: z.int(),
    status: z.enum(['creating', 'ready', 'deleting', 'missing']),
    consistency: snapshotConsistencySchema
      .nullable()
      .describe(
        'stopped: taken while off; paused: while running, as after a power cut; frozen: while running, with file systems at rest',
      ),
    scheduled: z.boolean(),
    disk_size: z.number().describe('GB, powers of two'),
    stored_size: z.number().nullable().describe('GB, powers of two'),
    created: z.string(),
  })
  .meta({ id: 'Snapshot' })

const gb = (bytes: number) => Math.round((bytes / GIB) * 1000) / 1000

function toSnapshot(vmId: number, view: SnapshotView): z.input<typeof snapshotSchema> {
  return {
    id: view.id,
    name: view.name,
    server: vmId,
    status: view.status,
    consistency: view.consistency,
    scheduled: view.scheduled,
    disk_size: gb(view.diskBytes),
    stored_size: view.storedBytes === null ? null : gb(view.storedBytes),
    created: view.createdAt,
  }
}

const snapshotPathSchema = idPathSchema.extend({ snapshot_id: z.coerce.number().int().positive() })
const actionAnswer = z.object({ action: actionSchema })

/** One that is of that server. */
async function requireOf(
  rest: RestContext,
  viewer: Parameters<RestContext['services']['snapshots']['list']>[0],
  vmId: number,
  id: number,
): Promise<SnapshotView> {
  const { snapshots } = await rest.services.snapshots.list(viewer, vmId)
  const found = snapshots.find((one) => one.id === id)
  if (!found) throw new RestError(404, 'not_found', 'There is no such snapshot of this server.')
  return found
}

const snapshots = [
  route({
    method: 'GET',
    pattern: '/servers/{id}/snapshots',
    summary: 'The snapshots of a server, newest first',
    tag: 'Snapshots',
    privilege: on('vm', 'viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ snapshots: z.array(snapshotSchema) }),
    handle: async (rest, { path, viewer }) => ({
      snapshots: (await rest.services.snapshots.list(viewer, path.id)).snapshots.map((view) =>
        toSnapshot(path.id, view),
      ),
    }),
  }),
  route({
    method: 'POST',
    pattern: '/servers/{id}/snapshots',
    summary: "Take a snapshot of a server's disk",
    tag: 'Snapshots',
    privilege: on('vm', 'member'),
    status: 201,
    path: idPathSchema,
    body: z.object({ name: snapshotNameSchema.optional() }),
    response: z.object({ snapshot: snapshotSchema, action: actionSchema }),
    async handle(rest, { path, body, viewer, idempotencyKey }) {
      const input = { vmId: path.id, name: body.name, idempotencyKey }
      const { snapshotId, change } = await rest.services.snapshots.take(viewer, input)
      return {
        snapshot: toSnapshot(path.id, await requireOf(rest, viewer, path.id, snapshotId)),
        action: toAction(change.action, await imageIds(rest)),
      }
    },
  }),
  route({
    method: 'DELETE',
    pattern: '/servers/{id}/snapshots/{snapshot_id}',
    summary: 'Delete a snapshot',
    tag: 'Snapshots',
    privilege: on('vm', 'member'),
    status: 200,
    path: snapshotPathSchema,
    response: actionAnswer,
    async handle(rest, { path, viewer, idempotencyKey }) {
      const { id } = await requireOf(rest, viewer, path.id, path.snapshot_id)
      const { action } = await rest.services.snapshots.delete(viewer, { id, idempotencyKey })
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
  route({
    method: 'POST',
    pattern: '/servers/{id}/snapshots/{snapshot_id}/actions/restore',
    summary: 'Take a server that is off back to a snapshot',
    tag: 'Snapshots',
    privilege: on('vm', 'member'),
    status: 201,
    path: snapshotPathSchema,
    response: actionAnswer,
    async handle(rest, { path, viewer, idempotencyKey }) {
      const { id } = await requireOf(rest, viewer, path.id, path.snapshot_id)
      const { action } = await rest.services.snapshots.restore(viewer, { id, idempotencyKey })
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
  route({
    method: 'POST',
    pattern: '/servers/{id}/snapshots/{snapshot_id}/actions/create_server',
    summary: 'Make a new server from a snapshot',
    tag: 'Snapshots',
    privilege: on('vm', 'member'),
    status: 201,
    path: snapshotPathSchema,
    body: z.object({ name: nameSchema, start_after_create: z.boolean().default(true) }),
    response: actionAnswer,
    async handle(rest, { path, body, viewer, idempotencyKey }) {
      const { id } = await requireOf(rest, viewer, path.id, path.snapshot_id)
      const input = { id, name: body.name, start: body.start_after_create, idempotencyKey }
      const { action } = await rest.services.snapshots.createVm(viewer, input)
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
]

export const serverExtraRoutes = [cancelCreation, metrics, ...snapshots]
