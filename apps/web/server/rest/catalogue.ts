/** What servers are made of: types, images, locations. */
import { z } from 'zod'
import { inProject, on } from '../auth/privilege.ts'
import { sizes } from '../views/size.ts'
import { RestError } from './errors.ts'
import { sizeOf, toImage, toServerType } from './mappers.ts'
import { metaSchema, pageOf, pageQuerySchema, parseSort, sortBy } from './paging.ts'
import { type RestContext, route } from './route.ts'
import { idPathSchema, imageSchema, listOf, locationSchema, serverTypeSchema } from './schemas.ts'

const named = pageQuerySchema.extend({ name: z.string().optional(), sort: listOf(z.string()) })
const notFound = (what: string) => new RestError(404, 'not_found', `There is no such ${what}.`)

export async function locationsOf({ context }: RestContext): Promise<z.input<typeof locationSchema>[]> {
  const rows = await context.db.location.findMany({ orderBy: { id: 'asc' } })
  return rows.map(({ id, name, description }) => ({
    id,
    name,
    description,
    // A home does not say where it is.
    country: '',
    city: '',
    latitude: 0,
    longitude: 0,
    network_zone: 'home',
  }))
}

export const catalogueRoutes = [
  route({
    method: 'GET',
    pattern: '/server_types',
    summary: 'All server types',
    tag: 'Server Types',
    privilege: inProject('viewer'),
    status: 200,
    query: named,
    response: z.object({ server_types: z.array(serverTypeSchema), meta: metaSchema }),
    async handle(rest, { query }) {
      const [location] = await locationsOf(rest)
      // A custom one is listed only when asked for by name: there are too many of them.
      const wanted = query.name === undefined ? undefined : sizeOf(query.name)
      const found = query.name === undefined ? sizes : wanted ? [wanted] : []
      const types = found.map((size) => toServerType(size, location!))
      const orders = parseSort(query.sort, ['id', 'name'], [{ field: 'id', descending: false }])
      const { items, meta } = pageOf(
        sortBy(types, orders, (type, field) => type[field]),
        query,
      )
      return { server_types: items, meta }
    },
  }),
  route({
    method: 'GET',
    pattern: '/server_types/{id}',
    summary: 'One server type',
    tag: 'Server Types',
    privilege: inProject('viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ server_type: serverTypeSchema }),
    async handle(rest, { path }) {
      const [location] = await locationsOf(rest)
      const size = sizeOf(path.id)
      if (!size) throw notFound('server type')
      return { server_type: toServerType(size, location!) }
    },
  }),
  route({
    method: 'GET',
    pattern: '/images',
    summary: 'All images',
    tag: 'Images',
    privilege: inProject('viewer'),
    status: 200,
    query: named.extend({
      type: listOf(z.enum(['system', 'snapshot', 'backup', 'app'])),
      status: listOf(imageSchema.shape.status),
      architecture: listOf(z.string()),
    }),
    response: z.object({ images: z.array(imageSchema), meta: metaSchema }),
    async handle(rest, { query, viewer }) {
      const images = (await rest.services.images.list(viewer))
        .map(toImage)
        .filter(
          (image) =>
            (query.name === undefined || image.name === query.name) &&
            (query.type.length === 0 || query.type.includes(image.type)) &&
            (query.status.length === 0 || query.status.includes(image.status)) &&
            (query.architecture.length === 0 || query.architecture.includes(image.architecture)),
        )
      const orders = parseSort(query.sort, ['id', 'name', 'created'], [{ field: 'id', descending: false }])
      const { items, meta } = pageOf(
        sortBy(images, orders, (image, field) => image[field]),
        query,
      )
      return { images: items, meta }
    },
  }),
  route({
    method: 'GET',
    pattern: '/images/{id}',
    summary: 'One image',
    tag: 'Images',
    privilege: on('image', 'viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ image: imageSchema }),
    async handle(rest, { path, viewer }) {
      const image = (await rest.services.images.list(viewer)).find(({ id }) => id === path.id)
      if (!image) throw notFound('image')
      return { image: toImage(image) }
    },
  }),
  route({
    method: 'GET',
    pattern: '/locations',
    summary: 'All locations',
    tag: 'Locations',
    privilege: inProject('viewer'),
    status: 200,
    query: named,
    response: z.object({ locations: z.array(locationSchema), meta: metaSchema }),
    async handle(rest, { query }) {
      const all = await locationsOf(rest)
      const { items, meta } = pageOf(
        all.filter(({ name }) => query.name === undefined || name === query.name),
        query,
      )
      return { locations: items, meta }
    },
  }),
  route({
    method: 'GET',
    pattern: '/locations/{id}',
    summary: 'One location',
    tag: 'Locations',
    privilege: inProject('viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ location: locationSchema }),
    async handle(rest, { path }) {
      const location = (await locationsOf(rest)).find(({ id }) => id === path.id)
      if (!location) throw notFound('location')
      return { location }
    },
  }),
]
