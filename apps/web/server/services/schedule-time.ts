/** When something that happens every hour, day or week is due next, on the home's own clock. Pure. */
import type { SnapshotPlan } from '../views/snapshot.ts'

const MINUTE = 60_000

/** What the clock on the wall of a zone shows, as if it were UTC. */
function wallClock(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at)
  const field = (type: string) => Number(parts.find((part) => part.type === type)?.value)
  return Date.UTC(
    field('year'),
    field('month') - 1,
    field('day'),
    field('hour'),
    field('minute'),
    field('second'),
  )
}

/**
 * The instant at which that clock shows `wall`. An hour that is skipped in spring comes an hour later; of one that
 * comes twice in autumn it is the first.
 */
function instantOf(wall: number, timeZone: string): number {
  const guess = wall - (wallClock(wall, timeZone) - wall)
  for (const candidate of [guess - 60 * MINUTE, guess, guess + 60 * MINUTE])
    if (wallClock(candidate, timeZone) === wall) return candidate
  return guess + 60 * MINUTE
}

/** The first time of the plan after `after`. */
export function nextTime(plan: SnapshotPlan, after: Date, timeZone: string): Date {
  const now = Math.floor(wallClock(after.getTime(), timeZone) / MINUTE) * MINUTE
  if (plan.every === 'hour') {
    const hour = new Date(now).setUTCMinutes(plan.minute % 60, 0, 0)
    // By instants, not by the wall: the clock change neither skips nor repeats an hour of real time.
    const passed = now >= hour
    const distance = passed ? hour + 60 * MINUTE - now : hour - now
    return new Date(Math.floor(after.getTime() / MINUTE) * MINUTE + distance)
  }
  const midnight = new Date(now).setUTCHours(0, 0, 0, 0)
  for (let day = 0; day <= 8; day++) {
    const wall = midnight + day * 24 * 60 * MINUTE + plan.minute * MINUTE
    if (plan.every === 'week' && new Date(wall).getUTCDay() !== plan.weekday) continue
    const at = instantOf(wall, timeZone)
    if (at > after.getTime()) return new Date(at)
  }
  throw new Error('a plan without a next time')
}
