/** Figures into a table and JSON. */
export interface Measure {
  readonly name: string
  readonly unit: string
  /** Whether less is better; a ratio above 1 then means slower than QEMU microvm. */
  readonly lessIsBetter: boolean
  /** By monitor; every run's figure. */
  readonly figures: Readonly<Record<string, readonly number[]>>
}

export interface Failure {
  readonly monitor: string
  readonly measure: string
  readonly reason: string
}

export interface BenchReport {
  readonly v: 1
  /** Where it ran: figures of an emulated host say how monitors compare and nothing about real hardware. */
  readonly host: {
    readonly kind: 'lab'
    readonly kernel: string
    readonly qemu: string
    readonly node: string
    /** Of the machine under the lab: processes that wanted to run, a minute's average, before and after. */
    readonly load: readonly [number, number]
    readonly processors: number
  }
  readonly guestKernel: string
  readonly commit: string
  readonly takenAt: string
  /** Rounds that were begun. */
  readonly rounds: number
  readonly seconds: number
  readonly measures: readonly Measure[]
  readonly failures: readonly Failure[]
}

const BASE = 'qemu-microvm'
/** In this order, those that measured anything. */
const COLUMNS = ['hearth', 'hearth-warm', BASE, 'qemu-q35', 'c-loop']

export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const shown = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)

/** "median (least–most)", and how it compares with QEMU microvm. */
function cell(measure: Measure, monitor: string): string {
  const figures = measure.figures[monitor]
  if (figures === undefined || figures.length === 0) return '–'
  const spread = `${shown(Math.min(...figures))}–${shown(Math.max(...figures))}`
  const base = measure.figures[BASE]
  const ratio =
    monitor === BASE || base === undefined || base.length === 0
      ? ''
      : `, ×${(median(figures) / median(base)).toFixed(2)}`
  return `${shown(median(figures))} (${spread})${ratio}`
}

export function reportTable(report: Pick<BenchReport, 'measures'>): string {
  const measured = new Set(report.measures.flatMap((measure) => Object.keys(measure.figures)))
  const monitors = [...COLUMNS, ...[...measured].filter((name) => !COLUMNS.includes(name))].filter((name) =>
    measured.has(name),
  )
  const rows = report.measures.map((measure) => [
    `${measure.name}, ${measure.unit}${measure.lessIsBetter ? '' : ' (more is better)'}`,
    ...monitors.map((monitor) => cell(measure, monitor)),
  ])
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(['median (least–most), × of QEMU microvm', ...monitors]),
    line(['---', ...monitors.map(() => '---')]),
    ...rows.map(line),
  ].join('\n')
}

/** What could not be measured, one line each; empty where everything was. */
export const failureList = (failures: readonly Failure[]): string =>
  failures.map(({ monitor, measure, reason }) => `- ${monitor}: ${measure}: ${reason}`).join('\n')
