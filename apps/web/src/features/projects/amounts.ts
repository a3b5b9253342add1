import { isBytes, type QuotaKey } from '@hearth/shared/quota'
import { GIB, parseSize } from '@hearth/shared/units'
import { bytes, number } from '../../lib/format.ts'

/** An amount of something limited, for people. */
export function amount(key: QuotaKey, value: number): string {
  return isBytes(key) ? bytes(value) : number(value)
}

/** What a form shows for an amount: bytes as GiB, counts as they are. */
export function toField(key: QuotaKey, value: number): string {
  return String(isBytes(key) ? Math.round((value / GIB) * 100) / 100 : value)
}

/** The amount a form's text means; null when it is none. Takes a comma too, and for bytes a unit of one's own: `512M`. */
export function fromField(key: QuotaKey, text: string): number | null {
  const trimmed = text.trim().replace(',', '.')
  const value = /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : undefined
  const whole = !isBytes(key) ? value : value === undefined ? parseSize(trimmed) : Math.round(value * GIB)
  if (whole === undefined) return null
  return Number.isSafeInteger(whole) ? whole : null
}
