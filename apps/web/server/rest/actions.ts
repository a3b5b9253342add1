import { z } from 'zod'
import { inProject, on } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import { toAction } from './mappers.ts'
import { metaOf, metaSchema, pageQuerySchema, parseSort } from './paging.ts'
import { type RestContext, route } from './route.ts'
import { actionSchema, idPathSchema, listOf } from './schemas.ts'

export async function imageIds(rest: RestContext): Promise<Map<string, number>> {
  const images = await rest.context.db.image.findMany({ select: { id: true, uid: true } })
  return new Map(images.map(({ id, uid }) => [uid, id]))
}

export async function toActions(
  rest: RestContext,
  viewer: Viewer,
  query: {
    page: number
    per_page: number
    status: ('running' | 'success' | 'error')[]
    sort: string[]
  },
  filter: { vmId?: number; ids?: number[] },
) {
  const fields = ['id', 'command', 'status', 'started', 'finished'] as const
  const { items, total } = await rest.services.actions.page(viewer, {
    ...filter,
    ...(query.status.length > 0 ? { status: query.status } : {}),
    orderBy: parseSort(query.sort, fields, [{ field: 'id', descending: false }]),
    offset: (query.page - 1) * query.per_page,
    limit: query.per_page,
  })
  const ids = await imageIds(rest)
  return { actions: items.map((item) => toAction(item, ids)), meta: metaOf(query, total) }
}

export const actionRoutes = [
  route({
    method: 'GET',
    pattern: '/actions',
    summary: 'All actions',
    tag: 'Actions',
    privilege: inProject('viewer'),
    status: 200,
    query: pageQuerySchema.extend({
      id: listOf(z.coerce.number().int().positive()),
      status: listOf(actionSchema.shape.status),
      sort: listOf(z.string()),
    }),
    response: z.object({ actions: z.array(actionSchema), meta: metaSchema }),
    handle: (rest, { query, viewer }) =>
      toActions(rest, viewer, query, query.id.length > 0 ? { ids: query.id } : {}),
  }),
  route({
    method: 'GET',
    pattern: '/actions/{id}',
    summary: 'One action',
    tag: 'Actions',
    privilege: on('action', 'viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ action: actionSchema }),
    handle: async (rest, { path }) => ({
      action: toAction(await rest.services.actions.get(path.id), await imageIds(rest)),
    }),
  }),
]
