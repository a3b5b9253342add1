import type { MetricSeries } from '../../../server/views/index.ts'
import { m } from '../../messages/all.ts'
import { currentLocale } from '../../messages/language.ts'

/** What charts of one series share: its moments, and how they are written. */
export function chartFrame(series: MetricSeries) {
  const long = series.end - series.start > 2 * 86_400_000
  const day = { day: 'numeric', month: 'short' } as const
  const minute = { hour: '2-digit', minute: '2-digit' } as const
  return {
    at: series.at,
    span: { start: series.start, end: series.end, stepMs: series.step * 1000 },
    keysHint: m.metrics.keys,
    formatTime: (at: number) =>
      new Intl.DateTimeFormat(currentLocale(), {
        ...(long ? day : {}),
        ...minute,
        ...(series.step < 60 ? { second: '2-digit' } : {}),
      }).format(at),
    formatMark: (at: number) => new Intl.DateTimeFormat(currentLocale(), long ? day : minute).format(at),
  }
}

/** The highest of some curves; 0 when nothing was measured. */
export const highest = (...columns: (number | null)[][]): number =>
  Math.max(0, ...columns.flat().map((value) => value ?? 0))
