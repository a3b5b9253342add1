'use client'
import { useId, useState } from 'react'
import { areaPath, type ChartSpan, linePath, nearest, pieces, timeMarks } from './chart-shape.ts'
import { cx } from './cx.ts'

export interface ChartCurve {
  label: string
  values: readonly (number | null)[]
}

const width = 1000
const height = 160
/** The first curve glows and is filled, the second is dashed: told apart without seeing colours. */
const styles = [
  { line: 'stroke-ember', dash: undefined, mark: 'bg-ember', text: 'text-ember' },
  { line: 'stroke-ink-2', dash: '5 4', mark: 'bg-ink-2', text: 'text-ink-2' },
] as const

/**
 * One or two curves over time. The figures beside the title are the latest, or those of the moment under the pointer
 * (or, with the keyboard, under the cursor that the arrow keys move).
 */
export function Chart({
  title,
  hint,
  at,
  curves,
  span,
  max,
  format,
  formatTime,
  formatMark,
  keysHint,
}: {
  title: string
  hint?: string | undefined
  at: readonly number[]
  curves: readonly ChartCurve[]
  span: ChartSpan
  /** Top of the scale. */
  max: number
  format: (value: number) => string
  /** The moment that is looked at. */
  formatTime: (at: number) => string
  /** Below the curve. */
  formatMark: (at: number) => string
  keysHint: string
}) {
  const gradient = useId()
  const [cursor, setCursor] = useState<number | null>(null)
  const shown = cursor === null || at[cursor] === undefined ? at.length - 1 : cursor
  const looked = cursor === null ? null : at[cursor]
  const box = { width, height, max }
  const xOf = (time: number) => ((time - span.start) / (span.end - span.start)) * 100
  const move = (by: number) => setCursor(Math.min(at.length - 1, Math.max(0, shown + by)))
  const figures = curves.map(({ label, values }) => {
    const value = values[shown]
    return `${label} ${value === null || value === undefined ? '–' : format(value)}`
  })
  return (
    <figure className="card flex min-w-0 flex-col px-5 pt-4 pb-3">
      <figcaption className="flex min-h-11 flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <span>
          <span className="font-semibold text-sm">{title}</span>
          <span className="tnum ml-2 text-13 text-ink-3">
            {looked === null || looked === undefined ? hint : formatTime(looked)}
          </span>
        </span>
        <span className="flex flex-wrap gap-x-4 text-13">
          {curves.map(({ label, values }, index) => {
            const value = values[shown]
            return (
              <span key={label} className="flex items-center gap-1.5">
                {curves.length > 1 ? (
                  <>
                    <span aria-hidden="true" className={cx('h-0.5 w-3 rounded-full', styles[index]?.mark)} />
                    <span className="text-ink-3">{label}</span>
                  </>
                ) : null}
                <span className="tnum font-medium text-ink">
                  {value === null || value === undefined ? '–' : format(value)}
                </span>
              </span>
            )
          })}
        </span>
      </figcaption>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${title}. ${keysHint}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, at.length - 1)}
        aria-valuenow={Math.max(0, shown)}
        aria-valuetext={[at[shown] === undefined ? '' : formatTime(at[shown]), ...figures].join(', ')}
        className="relative mt-2 mr-18 h-40 touch-pan-y rounded-sm"
        onPointerMove={(event) => {
          const area = event.currentTarget.getBoundingClientRect()
          const part = (event.clientX - area.left) / area.width
          const index = nearest(at, span.start + part * (span.end - span.start))
          setCursor(index < 0 ? null : index)
        }}
        onPointerLeave={() => setCursor(null)}
        onBlur={() => setCursor(null)}
        onKeyDown={(event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key]
          if (event.key === 'Escape') setCursor(null)
          else if (event.key === 'Home') setCursor(at.length > 0 ? 0 : null)
          else if (event.key === 'End') setCursor(at.length > 0 ? at.length - 1 : null)
          else if (by !== undefined && at.length > 0) move(by)
          else return
          event.preventDefault()
        }}
      >
        {[0, 0.5, 1].map((part) => (
          <span
            key={part}
            aria-hidden="true"
            className="absolute inset-x-0 border-line border-t"
            style={{ top: `${(1 - part) * 100}%` }}
          >
            <span className="tnum -translate-y-1/2 absolute left-full whitespace-nowrap pl-2 text-2xs text-ink-3">
              {part === 0 ? '0' : format(max * part)}
            </span>
          </span>
        ))}
        <svg
          aria-hidden="true"
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          className="absolute inset-0 size-full overflow-visible"
        >
          <defs>
            <linearGradient id={gradient} x1="0" x2="0" y1="0" y2="1">
              <stop offset="0%" stopColor="var(--ember)" stopOpacity="0.28" />
              <stop offset="100%" stopColor="var(--ember)" stopOpacity="0.02" />
            </linearGradient>
          </defs>
          {curves.map(({ label, values }, index) =>
            pieces(at, values, span, box).map((piece) => (
              <g key={`${label}-${piece[0]!.x}`}>
                {index === 0 ? <path d={areaPath(piece, height)} fill={`url(#${gradient})`} /> : null}
                <path
                  d={linePath(piece)}
                  fill="none"
                  strokeWidth="1.75"
                  strokeLinecap="round"
                  strokeLinejoin="round"
                  strokeDasharray={styles[index]?.dash}
                  vectorEffect="non-scaling-stroke"
                  className={styles[index]?.line}
                />
              </g>
            )),
          )}
        </svg>
        {looked === null || looked === undefined ? null : (
          <>
            <span
              aria-hidden="true"
              className="absolute inset-y-0 w-px bg-ink-3"
              style={{ left: `${xOf(looked)}%` }}
            />
            {curves.map(({ label, values }, index) => {
              const value = values[shown]
              if (value === null || value === undefined) return null
              return (
                <span
                  key={label}
                  aria-hidden="true"
                  className={cx(
                    '-translate-x-1/2 -translate-y-1/2 absolute size-2 rounded-full ring-2 ring-surface',
                    styles[index]?.mark,
                  )}
                  style={{ left: `${xOf(looked)}%`, top: `${(1 - Math.min(1, value / max)) * 100}%` }}
                />
              )
            })}
          </>
        )}
      </div>
      <div
        aria-hidden="true"
        className="tnum mt-1.5 mr-18 flex justify-between text-2xs text-ink-3 max-sm:[&>*:nth-child(even)]:hidden"
      >
        {timeMarks(span).map((mark) => (
          <span key={mark}>{formatMark(mark)}</span>
        ))}
      </div>
    </figure>
  )
}
