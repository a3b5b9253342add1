/** Between Prisma's values and SQLite's: arguments on the way in, column types and rows on the way out. */
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { type ArgType, type ColumnType, ColumnTypeEnum } from '@prisma/driver-adapter-utils'

export function toSqlite(value: unknown, type: ArgType | undefined): SQLInputValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof Date) return timeText(value)
  if (typeof value === 'string') {
    switch (type?.scalarType) {
      case 'bigint':
        return BigInt(value)
      case 'decimal':
        return Number(value)
      case 'datetime':
        return timeText(new Date(value))
      case 'bytes':
        return Buffer.from(value, 'base64')
      default:
        return value
    }
  }
  if (typeof value === 'number') {
    // node:sqlite binds whole numbers as REAL unless they are bigint, and `1.0` is not `1` in a text column.
    return Number.isSafeInteger(value) && type?.scalarType !== 'float' ? BigInt(value) : value
  }
  if (typeof value === 'bigint') return value
  if (value instanceof Uint8Array) return Buffer.from(value)
  throw new TypeError(`The SQLite adapter cannot bind a ${typeof value}.`)
}

/** The form every writer of this database uses: text that sorts as time, UTC with milliseconds. */
function timeText(time: Date): string {
  return time.toISOString().replace('Z', '+00:00')
}

/** Types by what the column was declared as; a computed or RETURNING column has no declaration: by its values. */
export function columnTypes(columns: ReturnType<StatementSync['columns']>, rows: unknown[][]): ColumnType[] {
  return columns.map(({ type }, index) => declaredType(type) ?? typeOfValues(rows, index))
}

function declaredType(declared: string | null): ColumnType | undefined {
  switch (declared?.toUpperCase().replace(/\(.*\)/, '')) {
    case 'INTEGER':
    case 'INT':
      return ColumnTypeEnum.Int32
    case 'BIGINT':
      return ColumnTypeEnum.Int64
    case 'TEXT':
    case 'VARCHAR':
      return ColumnTypeEnum.Text
    case 'BOOLEAN':
      return ColumnTypeEnum.Boolean
    case 'DATETIME':
    case 'TIMESTAMP':
      return ColumnTypeEnum.DateTime
    case 'REAL':
    case 'DOUBLE':
    case 'FLOAT':
      return ColumnTypeEnum.Double
    case 'DECIMAL':
      return ColumnTypeEnum.Numeric
    case 'BLOB':
      return ColumnTypeEnum.Bytes
    case 'JSONB':
      return ColumnTypeEnum.Json
    default:
      return undefined
  }
}

function typeOfValues(rows: unknown[][], index: number): ColumnType {
  const value = rows.find((row) => row[index] !== null)?.[index]
  switch (typeof value) {
    case 'bigint':
      return ColumnTypeEnum.Int64
    case 'number':
      return ColumnTypeEnum.Double
    case 'object':
      return ColumnTypeEnum.Bytes
    // All null, or text.
    default:
      return typeof value === 'string' ? ColumnTypeEnum.Text : ColumnTypeEnum.Int32
  }
}

export function fromSqlite(value: SQLOutputValue, type: ColumnType): unknown {
  if (value === null) return null
  if (typeof value === 'bigint') {
    if (type === ColumnTypeEnum.Int32) return Number(value)
    if (type === ColumnTypeEnum.Boolean) return value !== 0n
    // Times that another program wrote as milliseconds.
    if (type === ColumnTypeEnum.DateTime) return new Date(Number(value)).toISOString()
    return value.toString()
  }
  return value
}
