import { formatBytes } from '@hearth/shared/units'
import { currentLocale } from '../messages/language.ts'

/** All of these are for people; the locale is the reader's unless a test names one. */

export function bytes(value: number, locale = currentLocale()): string {
  return formatBytes(value, locale)
}

export function number(value: number, locale = currentLocale(), digits = 1): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)
}

/** A part of a whole, 0 to 1, as `42 %` is written in the reader's language. */
export function percent(part: number, locale = currentLocale()): string {
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }).format(part)
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** `3 minutes ago`, `in 2 days`, `just now` under a minute. */
export function ago(iso: string, now: number, justNow: string, locale = currentLocale()): string {
  const distance = new Date(iso).getTime() - now
  for (const [unit, size] of steps) {
    if (Math.abs(distance) >= size)
      return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(
        Math.trunc(distance / size),
        unit,
      )
  }
  return justNow
}

/** A length of time in its two largest units: `3d 4h`, `4h 12m`, `12m`, `45s`. Never negative. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const d = Math.floor(seconds / 86_400)
  const h = Math.floor((seconds % 86_400) / 3600)
  const m = Math.floor((seconds % 3600) / 60)
  if (d > 0) return h > 0 ? `${d}d ${h}h` : `${d}d`
  if (h > 0) return m > 0 ? `${h}h ${m}m` : `${h}h`
  if (m > 0) return `${m}m`
  return `${seconds}s`
}

/** Date and time in the reader's zone, to the minute. */
export function dateTime(iso: string, locale = currentLocale(), timeZone?: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(
    new Date(iso),
  )
}

/** Time of day to the second, for a list whose days are headings. */
export function timeOfDay(iso: string, locale = currentLocale(), timeZone?: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', timeZone }).format(
    new Date(iso),
  )
}

/** A key that is the same for all times of one day of the reader's calendar. */
export function dayKey(iso: string): string {
  const date = new Date(iso)
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`
}

export function dayLabel(
  iso: string,
  now: number,
  words: { today: string; yesterday: string },
  locale = currentLocale(),
) {
  const key = dayKey(iso)
  if (key === dayKey(new Date(now).toISOString())) return words.today
  if (key === dayKey(new Date(now - 86_400_000).toISOString())) return words.yesterday
  return new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' }).format(
    new Date(iso),
  )
}
