/** What the model's tools list: datacenters (boxes), discs, and what Hearth has none of, told as empty lists. */
import { z } from 'zod'
import { inProject } from '../auth/privilege.ts'
import { sizes } from '../views/size.ts'
import { locationsOf } from './catalogue.ts'
import { RestError } from './errors.ts'
import { toServerType } from './mappers.ts'
import { metaOf, metaSchema, pageOf, pageQuerySchema } from './paging.ts'
import { type RestContext, route } from './route.ts'
import { datacenterSchema, idPathSchema, isoSchema } from './schemas.ts'

const named = pageQuerySchema.extend({ name: z.string().optional() })
const notFound = (what: string) => new RestError(404, 'not_found', `There is no such ${what}.`)

async function datacentersOf(rest: RestContext): Promise<z.input<typeof datacenterSchema>[]> {
  const [location] = await locationsOf(rest)
  const hosts = await rest.context.db.host.findMany({ orderBy: { id: 'asc' } })
  const types = sizes.map((size) => toServerType(size, location!).id)
  return hosts.map(({ id, name }) => ({
    id,
    name,
    description: name,
    location: location!,
    server_types: { supported: types, available: types, available_for_migration: types },
  }))
}

export const listRoutes = [
  route({
    method: 'GET',
    pattern: '/datacenters',
    summary: 'All datacenters: the boxes of the home',
    tag: 'Datacenters',
    privilege: inProject('viewer'),
    status: 200,
    query: named,
    response: z.object({
      datacenters: z.array(datacenterSchema),
      recommendation: z.int(),
      meta: metaSchema,
    }),
    async handle(rest, { query }) {
      const all = await datacentersOf(rest)
      const { items, meta } = pageOf(
        all.filter(({ name }) => query.name === undefined || name === query.name),
        query,
      )
      return { datacenters: items, recommendation: all[0]?.id ?? 0, meta }
    },
  }),
  route({
    method: 'GET',
    pattern: '/datacenters/{id}',
    summary: 'One datacenter',
    tag: 'Datacenters',
    privilege: inProject('viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ datacenter: datacenterSchema }),
    async handle(rest, { path }) {
      const datacenter = (await datacentersOf(rest)).find(({ id }) => id === path.id)
      if (!datacenter) throw notFound('datacenter')
      return { datacenter }
    },
  }),
  route({
    method: 'GET',
    pattern: '/isos',
    summary: 'All ISO files. A server is made from one as from any image',
    tag: 'ISOs',
    privilege: inProject('viewer'),
    status: 200,
    query: named,
    response: z.object({ isos: z.array(isoSchema), meta: metaSchema }),
    async handle(rest, { query, viewer }) {
      const discs = (await rest.services.images.list(viewer)).filter(
        ({ kind, uid }) => kind === 'iso' && (query.name === undefined || uid === query.name),
      )
      const { items, meta } = pageOf(discs, query)
      return {
        isos: items.map(({ id, uid, name }) => ({
          ...{ id, name: uid, description: name },
          ...{ type: 'private' as const, architecture: 'x86', deprecated: null, deprecation: null },
        })),
        meta,
      }
    },
  }),
  ...(
    [
      ['networks', 'Networks'],
      ['firewalls', 'Firewalls'],
      ['floating_ips', 'Floating IPs'],
      ['primary_ips', 'Primary IPs'],
      ['load_balancers', 'Load Balancers'],
      ['load_balancer_types', 'Load Balancer Types'],
      ['placement_groups', 'Placement Groups'],
      ['certificates', 'Certificates'],
    ] as const
  ).map(([name, tag]) =>
    route({
      method: 'GET',
      pattern: `/${name}`,
      summary: 'Always empty: Hearth has none, and so that tools that ask get an answer',
      tag,
      privilege: inProject('viewer'),
      status: 200,
      query: named,
      response: z.looseObject({ meta: metaSchema }),
      async handle(_rest, { query }) {
        return { [name]: [], meta: metaOf(query, 0) }
      },
    }),
  ),
]
