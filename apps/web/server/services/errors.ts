import { HearthError } from '@hearth/shared/errors'

/** Prisma's code for a unique index that refused a row. */
export function isUniqueViolation(error: unknown, column?: string): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'P2002') return false
  return column === undefined || JSON.stringify('meta' in error ? error.meta : null).includes(`"${column}"`)
}

export const notFound = (what: string) => new HearthError('not_found', `There is no such ${what}.`)
