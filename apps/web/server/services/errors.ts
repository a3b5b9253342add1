import { HearthError } from '@hearth/shared/errors'
import { z } from 'zod'

/** What a driver adapter says of a unique index: SQLite names its columns, PostgreSQL the index. */
const violationSchema = z.object({
  driverAdapterError: z.object({
    cause: z.object({
      constraint: z.union([z.object({ fields: z.array(z.string()) }), z.object({ index: z.string() })]),
    }),
  }),
})

/** Whether a unique index refused a row (Prisma's P2002); with `column`: one that this column is part of. */
export function isUniqueViolation(error: unknown, column?: string): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'P2002') return false
  if (column === undefined) return true
  const said = violationSchema.safeParse('meta' in error ? error.meta : null)
  if (!said.success) return false
  const { constraint } = said.data.driverAdapterError.cause
  // Prisma's names for indexes: table, columns, `key`, joined by underscores.
  return 'fields' in constraint
    ? constraint.fields.includes(column)
    : constraint.index.includes(`_${column}_`)
}

export const notFound = (what: string) => new HearthError('not_found', `There is no such ${what}.`)
