import { isBytes, type QuotaKey } from '@hearth/shared/quota'
import { GIB } from '@hearth/shared/units'
import { bytes, number } from '../../lib/format.ts'

/** An amount of something limited, for people. */
export function amount(key: QuotaKey, value: number): string {
  return isBytes(key) ? bytes(value) : number(value)
}

/** What a form shows for an amount: bytes as GiB, counts as they are. */
export function toField(key: QuotaKey, value: number): string {
  return String(isBytes(key) ? Math.round((value / GIB) * 100) / 100 : value)
}

/** The amount a form's text means; null when it is none. Takes a comma too. */
export function fromField(key: QuotaKey, text: string): number | null {
  if (!/^\d+([.,]\d+)?$/.test(text.trim())) return null
  const value = Number(text.trim().replace(',', '.'))
  const whole = isBytes(key) ? Math.round(value * GIB) : value
  return Number.isSafeInteger(whole) ? whole : null
}
