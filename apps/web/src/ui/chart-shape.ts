/** The geometry of a line chart over time: pure, in a space of 0 to `width` and 0 (top) to `height`. */

export interface ChartSpan {
  start: number
  end: number
  /** Milliseconds between two neighbours; a longer distance is a gap. */
  stepMs: number
}

export interface Point {
  x: number
  y: number
}

/** The curve in pieces: nothing is drawn over a time in which nothing was measured. */
export function pieces(
  at: readonly number[],
  values: readonly (number | null)[],
  span: ChartSpan,
  box: { width: number; height: number; max: number },
): Point[][] {
  const all: Point[][] = []
  let before: number | null = null
  for (const [index, time] of at.entries()) {
    const value = values[index]
    if (value === null || value === undefined || time < span.start) continue
    if (before === null || time - before > span.stepMs * 2.5) all.push([])
    before = time
    all.at(-1)!.push({
      x: ((time - span.start) / (span.end - span.start)) * box.width,
      y: box.height - (Math.min(value, box.max) / box.max) * box.height,
    })
  }
  return all
}

const round = (value: number) => Math.round(value * 100) / 100

export function linePath(piece: readonly Point[]): string {
  // A single measurement is a point; a line of no length is drawn as one, its ends being round.
  const points = piece.length === 1 ? [piece[0]!, piece[0]!] : piece
  return points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('')
}

export function areaPath(piece: readonly Point[], height: number): string {
  const [first, last] = [piece[0], piece.at(-1)]
  if (!first || !last) return ''
  return `${linePath(piece)}L${round(last.x)} ${height}L${round(first.x)} ${height}Z`
}

/** The top of the scale: a round number not below any value. In powers of two for bytes, of ten otherwise. */
export function niceMax(highest: number, base: 2 | 10, least: number): number {
  const wanted = Math.max(highest, least)
  if (base === 2) {
    const power = 2 ** Math.floor(Math.log2(wanted))
    return [1, 1.5, 2].map((factor) => factor * power).find((value) => value >= wanted) ?? 2 * power
  }
  const power = 10 ** Math.floor(Math.log10(wanted))
  return [1, 2, 4, 5, 10].map((factor) => factor * power).find((value) => value >= wanted) ?? 10 * power
}

/** The row nearest to a moment; -1 without rows. */
export function nearest(at: readonly number[], moment: number): number {
  let best = -1
  for (const [index, time] of at.entries())
    if (best < 0 || Math.abs(time - moment) < Math.abs(at[best]! - moment)) best = index
  return best
}

/** Four moments between the ends, for the labels below. */
export function timeMarks({ start, end }: ChartSpan): number[] {
  return [0, 0.25, 0.5, 0.75, 1].map((part) => start + (end - start) * part)
}
