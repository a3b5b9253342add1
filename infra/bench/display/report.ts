/** Figures of the display benchmark into a table, and beside them what was to be reached. */
import { median } from '../report.ts'

export interface DisplayFigure {
  readonly server: 'hearth' | 'qemu'
  readonly scene: string
  /** JPEG where it pays; otherwise all is without loss. */
  readonly lossy: boolean
  readonly bytesPerSecond: number
  /** Of one core. */
  readonly cpuPercent: number
  readonly updatesPerSecond: number
}

export interface DisplayReport {
  readonly v: 1
  readonly host: { readonly cpu: string; readonly cpus: number; readonly node: string; readonly qemu: string }
  readonly commit: string
  readonly takenAt: string
  readonly seconds: number
  readonly figures: readonly DisplayFigure[]
  /** Milliseconds from a key in Chromium to its pixel on the canvas, without a guest; null: not measured. */
  readonly keyToPixelMs: readonly number[] | null
}

type Key = 'bytesPerSecond' | 'cpuPercent' | 'updatesPerSecond'

function of(report: DisplayReport, server: string, scene: string, lossy: boolean, key: Key): number {
  return median(
    report.figures
      .filter((figure) => figure.server === server && figure.scene === scene && figure.lossy === lossy)
      .map((figure) => figure[key]),
  )
}

const scenesOf = (report: DisplayReport): string[] => [...new Set(report.figures.map(({ scene }) => scene))]

export function displayTable(report: DisplayReport): string {
  const size = (value: number): string =>
    value >= 1e6
      ? `${(value / 1e6).toFixed(1)} MB/s`
      : `${(value / 1e3).toFixed(value < 10_000 ? 2 : 0)} kB/s`
  const rows = [false, true].flatMap((lossy) =>
    scenesOf(report).map((scene) => {
      const pair = (key: Key, shown: (value: number) => string): string[] =>
        ['hearth', 'qemu'].map((server) => shown(of(report, server, scene, lossy, key)))
      return [
        `${scene}, ${lossy ? 'JPEG allowed' : 'without loss'}`,
        ...pair('bytesPerSecond', size),
        ...pair('cpuPercent', (value) => `${value.toFixed(value < 10 ? 1 : 0)} %`),
        ...pair('updatesPerSecond', (value) => value.toFixed(1)),
      ]
    }),
  )
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const head = [
    'median of the runs',
    'bytes: Hearth',
    'QEMU',
    'CPU: Hearth',
    'QEMU',
    'updates/s: Hearth',
    'QEMU',
  ]
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Issue 4's figures, each with whether it is reached. */
export function reachedGoals(report: DisplayReport): string[] {
  const ratio = (key: Key): number =>
    median(
      [false, true].flatMap((lossy) =>
        scenesOf(report).map((scene) => {
          // For each update: whoever sends fewer of them has not saved anything.
          const each = (server: string): number =>
            of(report, server, scene, lossy, key) /
            Math.max(0.1, of(report, server, scene, lossy, 'updatesPerSecond'))
          return each('hearth') / each('qemu')
        }),
      ),
    )
  const drag = of(report, 'hearth', 'window drag', true, 'updatesPerSecond')
  const idle = of(report, 'hearth', 'idle desktop', true, 'bytesPerSecond')
  const keys = report.keyToPixelMs
  const said = (reached: boolean): string => (reached ? 'reached' : 'NOT reached')
  const [bytes, cpu] = [ratio('bytesPerSecond'), ratio('cpuPercent')]
  return [
    `Fewer bytes an update than QEMU on the median: ×${bytes.toFixed(2)}, ${said(bytes < 1)}.`,
    `Less CPU an update than QEMU on the median: ×${cpu.toFixed(2)}, ${said(cpu < 1)}.`,
    `30 updates a second of the window drag: ${drag.toFixed(1)}, ${said(drag >= 30)}.`,
    ...(keys === null
      ? []
      : [
          `From a key to its pixel in Chromium below 50 ms: ${median(keys).toFixed(1)} ms (${Math.min(...keys).toFixed(1)}–${Math.max(...keys).toFixed(1)}), ${said(median(keys) < 50)}.`,
        ]),
    `An idle desktop below 1 kB/s: ${(idle / 1000).toFixed(2)} kB/s, ${said(idle < 1000)}.`,
  ]
}
