/** Volumes as the API's model has them. Attaching, detaching and growing need the server to be off. */
import { GIB } from '@hearth/shared/units'
import { volumeLimits } from '@hearth/shared/volume'
import { z } from 'zod'
import { inProject, on } from '../auth/privilege.ts'
import { type VolumeView, volumeNameSchema } from '../views/volume.ts'
import { imageIds } from './actions.ts'
import { locationsOf } from './catalogue.ts'
import { RestError } from './errors.ts'
import { toAction } from './mappers.ts'
import { metaSchema, pageOf, pageQuerySchema, parseSort, sortBy } from './paging.ts'
import { type RestContext, route } from './route.ts'
import { actionSchema, idPathSchema, listOf, locationSchema } from './schemas.ts'

const tag = 'Volumes'
const actionTag = 'Volume Actions'

const volumeSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    server: z.int().nullable(),
    status: z.enum(['creating', 'available']),
    size: z.number().describe('GB, powers of two'),
    linux_device: z.string(),
    format: z.string().nullable(),
    created: z.string(),
    location: locationSchema,
    protection: z.object({ delete: z.boolean() }),
    labels: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Volume' })

const sizeSchema = z
  .int()
  .min(volumeLimits.bytes.min / GIB)
  .max(volumeLimits.bytes.max / GIB)
  .describe('GB, powers of two')

async function toVolume(rest: RestContext, view: VolumeView): Promise<z.input<typeof volumeSchema>> {
  const [location] = await locationsOf(rest)
  return {
    id: view.id,
    name: view.name,
    server: view.vm?.id ?? null,
    status: view.status === 'creating' ? 'creating' : 'available',
    size: view.bytes / GIB,
    linux_device: view.device,
    format: view.format,
    created: view.createdAt,
    location: location!,
    protection: { delete: false },
    labels: {},
  }
}

const answer = z.object({ volume: volumeSchema })
const actionAnswer = z.object({ action: actionSchema })

export const volumeRoutes = [
  route({
    method: 'GET',
    pattern: '/volumes',
    summary: 'All volumes',
    tag,
    privilege: inProject('viewer'),
    status: 200,
    query: pageQuerySchema.extend({
      name: z.string().optional(),
      status: listOf(volumeSchema.shape.status),
      sort: listOf(z.string()),
    }),
    response: z.object({ volumes: z.array(volumeSchema), meta: metaSchema }),
    async handle(rest, { query, viewer }) {
      const views = await rest.services.volumes.list(viewer)
      const all = await Promise.all(views.map((view) => toVolume(rest, view)))
      const found = all.filter(
        (volume) =>
          (query.name === undefined || volume.name === query.name) &&
          (query.status.length === 0 || query.status.includes(volume.status)),
      )
      const orders = parseSort(query.sort, ['id', 'name', 'created'], [{ field: 'id', descending: false }])
      const { items, meta } = pageOf(
        sortBy(found, orders, (volume, field) => volume[field]),
        query,
      )
      return { volumes: items, meta }
    },
  }),
  route({
    method: 'GET',
    pattern: '/volumes/{id}',
    summary: 'One volume',
    tag,
    privilege: on('volume', 'viewer'),
    status: 200,
    path: idPathSchema,
    response: answer,
    handle: async (rest, { path, viewer }) => ({
      volume: await toVolume(rest, await rest.services.volumes.get(viewer, path.id)),
    }),
  }),
  route({
    method: 'POST',
    pattern: '/volumes',
    summary: 'Make a volume, and attach it to a server that is off',
    tag,
    privilege: inProject('member'),
    status: 201,
    body: z.object({
      name: volumeNameSchema,
      size: sizeSchema,
      server: z.int().positive().nullish(),
      format: z.enum(['ext4']).nullish().describe('Left out: empty'),
      location: z.string().nullish(),
      automount: z.literal(false).nullish().describe('The guest mounts it itself'),
      labels: z.record(z.string(), z.string()).nullish(),
    }),
    response: z.object({
      volume: volumeSchema,
      action: actionSchema,
      next_actions: z.array(actionSchema),
    }),
    async handle(rest, { body, viewer, projectId, idempotencyKey }) {
      const wanted = { name: body.name, bytes: body.size * GIB, format: body.format ?? null, idempotencyKey }
      if (body.server) {
        const vm = await rest.services.vms.get(viewer, body.server)
        // What a token may see it may not always change, and a server's own project is where its disks belong.
        if (vm.project.id !== projectId) throw new RestError(404, 'not_found', 'There is no such server.')
      }
      const { volume, action } = body.server
        ? await rest.services.volumes.createFor(viewer, { ...wanted, vmId: body.server })
        : await rest.services.volumes.create(viewer, projectId, wanted)
      return {
        volume: await toVolume(rest, volume),
        action: toAction(action, await imageIds(rest)),
        next_actions: [],
      }
    },
  }),
  route({
    method: 'PUT',
    pattern: '/volumes/{id}',
    summary: 'Rename a volume',
    tag,
    privilege: on('volume', 'member'),
    status: 200,
    path: idPathSchema,
    body: z.object({ name: volumeNameSchema }),
    response: answer,
    handle: async (rest, { path, body, viewer }) => ({
      volume: await toVolume(rest, await rest.services.volumes.rename(viewer, { id: path.id, ...body })),
    }),
  }),
  route({
    method: 'DELETE',
    pattern: '/volumes/{id}',
    summary: 'Delete a volume that no server has',
    tag,
    privilege: on('volume', 'member'),
    status: 204,
    path: idPathSchema,
    async handle(rest, { path, viewer, idempotencyKey }) {
      await rest.services.volumes.delete(viewer, { id: path.id, idempotencyKey })
      return undefined
    },
  }),
  route({
    method: 'POST',
    pattern: '/volumes/{id}/actions/attach',
    summary: 'Attach a volume to a server that is off',
    tag: actionTag,
    privilege: on('volume', 'member'),
    status: 201,
    path: idPathSchema,
    body: z.object({ server: z.int().positive(), automount: z.literal(false).nullish() }),
    response: actionAnswer,
    async handle(rest, { path, body, viewer, idempotencyKey }) {
      const input = { id: path.id, vm: body.server, idempotencyKey }
      const { action } = await rest.services.volumes.attach(viewer, input)
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
  route({
    method: 'POST',
    pattern: '/volumes/{id}/actions/detach',
    summary: 'Detach a volume from its server, which is off',
    tag: actionTag,
    privilege: on('volume', 'member'),
    status: 201,
    path: idPathSchema,
    response: actionAnswer,
    async handle(rest, { path, viewer, idempotencyKey }) {
      const { action } = await rest.services.volumes.detach(viewer, { id: path.id, idempotencyKey })
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
  route({
    method: 'POST',
    pattern: '/volumes/{id}/actions/resize',
    summary: 'Grow a volume; its server is off',
    tag: actionTag,
    privilege: on('volume', 'member'),
    status: 201,
    path: idPathSchema,
    body: z.object({ size: sizeSchema }),
    response: actionAnswer,
    async handle(rest, { path, body, viewer, idempotencyKey }) {
      const input = { id: path.id, bytes: body.size * GIB, idempotencyKey }
      const { action } = await rest.services.volumes.resize(viewer, input)
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
]
