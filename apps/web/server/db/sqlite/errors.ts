import { DriverAdapterError, type MappedError } from '@prisma/driver-adapter-utils'

/** Result codes: https://www.sqlite.org/rescode.html (the low byte is the primary code). */
const SQLITE_BUSY = 5
const SQLITE_CONSTRAINT_FOREIGNKEY = 787
const SQLITE_CONSTRAINT_NOTNULL = 1299
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555
const SQLITE_CONSTRAINT_TRIGGER = 1811
const SQLITE_CONSTRAINT_UNIQUE = 2067

interface SqliteError extends Error {
  errcode: number
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

/** Another connection holds the lock; nothing was changed, the statement can be run again. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === SQLITE_BUSY
}

/** As Prisma's client wants it; what is no SQLite error passes through unchanged. */
export function mapError(error: unknown): unknown {
  if (!isSqliteError(error)) return error
  return new DriverAdapterError({
    ...kindOf(error),
    originalCode: String(error.errcode),
    originalMessage: error.message,
  })
}

function kindOf({ errcode, message }: SqliteError): MappedError {
  if ((errcode & 0xff) === SQLITE_BUSY) return { kind: 'SocketTimeout' }
  switch (errcode) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return { kind: 'UniqueConstraintViolation', constraint: { fields: columnsIn(message) } }
    case SQLITE_CONSTRAINT_NOTNULL:
      return { kind: 'NullConstraintViolation', constraint: { fields: columnsIn(message) } }
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_TRIGGER:
      return { kind: 'ForeignKeyConstraintViolation', constraint: { foreignKey: {} } }
  }
  const table = /^no such table: (.+)$/.exec(message)?.[1]
  if (table) return { kind: 'TableDoesNotExist', table }
  const column = /^(?:no such column: |table \S+ has no column named )(.+)$/.exec(message)?.[1]
  if (column) return { kind: 'ColumnNotFound', column }
  return { kind: 'sqlite', extendedCode: errcode, message }
}

/** `UNIQUE constraint failed: vm.project_id, vm.name` → project_id, name. */
function columnsIn(message: string): string[] {
  const list = message.split('constraint failed: ')[1] ?? ''
  return list
    .split(', ')
    .map((name) => name.split('.').pop() ?? '')
    .filter((name) => name !== '')
}
