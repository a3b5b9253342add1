import { z } from 'zod'
import { inProject, on } from '../auth/privilege.ts'
import { labelsSchema } from '../views/label.ts'
import { displayNameSchema } from '../views/ssh-key.ts'
import { parseLabelSelector } from './labels.ts'
import { toSshKey } from './mappers.ts'
import { metaSchema, pageOf, pageQuerySchema, parseSort, sortBy } from './paging.ts'
import { type RestContext, route } from './route.ts'
import { idPathSchema, listOf, sshKeySchema } from './schemas.ts'

const tag = 'SSH Keys'
const answer = z.object({ ssh_key: sshKeySchema })

async function labelsOf(rest: RestContext, id: number): Promise<Record<string, string>> {
  return (await rest.services.labels.of('ssh_key', [id])).get(id) ?? {}
}

export const sshKeyRoutes = [
  route({
    method: 'GET',
    pattern: '/ssh_keys',
    summary: 'All SSH keys',
    tag,
    privilege: inProject('viewer'),
    status: 200,
    query: pageQuerySchema.extend({
      name: z.string().optional(),
      fingerprint: z.string().optional(),
      label_selector: z.string().optional(),
      sort: listOf(z.string()),
    }),
    response: z.object({ ssh_keys: z.array(sshKeySchema), meta: metaSchema }),
    async handle(rest, { query, viewer }) {
      const views = await rest.services.sshKeys.list(viewer)
      const labels = await rest.services.labels.of(
        'ssh_key',
        views.map(({ id }) => id),
      )
      const fits = query.label_selector ? parseLabelSelector(query.label_selector) : () => true
      const keys = views
        .map((view) => toSshKey(view, labels.get(view.id) ?? {}))
        .filter(
          (key) =>
            (query.name === undefined || key.name === query.name) &&
            (query.fingerprint === undefined || key.fingerprint === query.fingerprint) &&
            fits(key.labels),
        )
      const orders = parseSort(query.sort, ['id', 'name'], [{ field: 'id', descending: false }])
      const { items, meta } = pageOf(
        sortBy(keys, orders, (key, field) => key[field]),
        query,
      )
      return { ssh_keys: items, meta }
    },
  }),
  route({
    method: 'GET',
    pattern: '/ssh_keys/{id}',
    summary: 'One SSH key',
    tag,
    privilege: on('ssh_key', 'viewer'),
    status: 200,
    path: idPathSchema,
    response: answer,
    handle: async (rest, { path }) => ({
      ssh_key: toSshKey(await rest.services.sshKeys.get(path.id), await labelsOf(rest, path.id)),
    }),
  }),
  route({
    method: 'POST',
    pattern: '/ssh_keys',
    summary: 'Save an SSH key',
    tag,
    privilege: inProject('member'),
    status: 201,
    body: z.object({
      name: displayNameSchema,
      public_key: z.string().max(16 * 1024),
      labels: labelsSchema.default({}),
    }),
    response: answer,
    async handle(rest, { body, viewer, projectId }) {
      const key = await rest.services.sshKeys.create(viewer, projectId, {
        name: body.name,
        publicKey: body.public_key,
      })
      if (Object.keys(body.labels).length > 0)
        await rest.services.labels.set(viewer, 'ssh_key', key.id, body.labels)
      return { ssh_key: toSshKey(key, body.labels) }
    },
  }),
  route({
    method: 'PUT',
    pattern: '/ssh_keys/{id}',
    summary: 'Change the name or the labels of an SSH key',
    tag,
    privilege: on('ssh_key', 'member'),
    status: 200,
    path: idPathSchema,
    body: z.object({ name: displayNameSchema.optional(), labels: labelsSchema.optional() }),
    response: answer,
    async handle(rest, { path, body, viewer }) {
      const key =
        body.name === undefined
          ? await rest.services.sshKeys.get(path.id)
          : await rest.services.sshKeys.rename(viewer, path.id, body.name)
      if (body.labels) await rest.services.labels.set(viewer, 'ssh_key', path.id, body.labels)
      return { ssh_key: toSshKey(key, await labelsOf(rest, path.id)) }
    },
  }),
  route({
    method: 'DELETE',
    pattern: '/ssh_keys/{id}',
    summary: 'Delete an SSH key',
    tag,
    privilege: on('ssh_key', 'member'),
    status: 204,
    path: idPathSchema,
    async handle(rest, { path, viewer }) {
      await rest.services.sshKeys.delete(viewer, path.id)
      return undefined
    },
  }),
]
