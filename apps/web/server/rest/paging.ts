import { z } from 'zod'
import { RestError } from './errors.ts'

const pageNumber = (highest: number) => z.coerce.number().int().min(1).max(highest)

export const pageQuerySchema = z.object({
  page: pageNumber(1_000_000).default(1).describe('Which page, from 1.'),
  per_page: pageNumber(50).default(25).describe('How many on a page, at most 50.'),
})

export const metaSchema = z.object({
  pagination: z.object({
    page: z.int(),
    per_page: z.int(),
    previous_page: z.int().nullable(),
    next_page: z.int().nullable(),
    last_page: z.int(),
    total_entries: z.int(),
  }),
})

export function metaOf({ page, per_page }: { page: number; per_page: number }, total: number) {
  const last = Math.max(1, Math.ceil(total / per_page))
  return {
    pagination: {
      page,
      per_page,
      previous_page: page > 1 ? page - 1 : null,
      next_page: page < last ? page + 1 : null,
      last_page: last,
      total_entries: total,
    },
  }
}

export interface Order<Field extends string> {
  field: Field
  descending: boolean
}

/** `sort=name:desc`, several times if need be. */
export function parseSort<Field extends string>(
  sort: readonly string[],
  fields: readonly Field[],
  fallback: Order<Field>[],
): Order<Field>[] {
  if (sort.length === 0) return fallback
  return sort.map((text) => {
    const [name, direction = 'asc'] = text.split(':')
    const field = fields.find((known) => known === name)
    if (!field || (direction !== 'asc' && direction !== 'desc')) {
      throw new RestError(422, 'invalid_input', `Cannot sort by "${text}".`, [
        { name: 'sort', messages: [`One of ${fields.join(', ')}, with :asc or :desc.`] },
      ])
    }
    return { field, descending: direction === 'desc' }
  })
}

export function sortBy<Item, Field extends string>(
  items: readonly Item[],
  orders: readonly Order<Field>[],
  valueFor: (item: Item, field: Field) => string | number,
): Item[] {
  return [...items].sort((one, other) => {
    for (const { field, descending } of orders) {
      const left = valueFor(one, field)
      const right = valueFor(other, field)
      if (left !== right) return left < right === descending ? 1 : -1
    }
    return 0
  })
}

export function pageOf<Item>(items: readonly Item[], query: { page: number; per_page: number }) {
  const from = (query.page - 1) * query.per_page
  return { items: items.slice(from, from + query.per_page), meta: metaOf(query, items.length) }
}
