/**
 * Sizes are bytes in code and database, MiB/GiB (powers of two) on screen.
 * All functions take and return plain numbers: 2^53 bytes are 8 PiB, enough for a home.
 */

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB
export const TIB = 1024 * GIB

const SUFFIX: Record<string, number> = { '': 1, k: KIB, m: MIB, g: GIB, t: TIB }

/**
 * Parses a size as people type it on a command line: `512M`, `2G`, `2GiB`, `1.5g`, `4096`.
 * Suffixes are powers of two. Returns bytes, or `undefined` when the text is not a size.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim())
  if (!match) return undefined
  const bytes = Number(match[1]) * SUFFIX[match[2]!.toLowerCase()]!
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Formats bytes for people: at most one decimal, powers of two, `0 B` to `1.5 GiB`. */
export function formatBytes(bytes: number, locale?: string): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = Math.abs(bytes)
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const digits = value < 10 && unit > 0 && value % 1 !== 0 ? 1 : 0
  const text = value.toLocaleString(locale, { maximumFractionDigits: digits, useGrouping: false })
  return `${bytes < 0 ? '-' : ''}${text} ${units[unit]}`
}
