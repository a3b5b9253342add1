/** A speed limit as it is typed, and back. Empty fields are no limit. */
import { type RateLimit, rateBounds } from '@hearth/shared/limits'
import { MIB } from '@hearth/shared/units'

export interface LimitDraft {
  speed: string
  operations: string
  burst: string
}

/** Bytes of the unit in which each is typed: MiB, and Mbit as networks are sold. */
export const speedUnits = { disk: MIB, network: 1_000_000 / 8 } as const
export type Limited = keyof typeof speedUnits

const number = (value: number): string => String(Number(value.toPrecision(4)))

export function draftOf(what: Limited, limit: RateLimit | null): LimitDraft {
  return {
    speed: limit?.bytesPerSecond ? number(limit.bytesPerSecond / speedUnits[what]) : '',
    operations: limit?.operationsPerSecond ? String(limit.operationsPerSecond) : '',
    burst: String(limit?.burstSeconds ?? 1),
  }
}

/** The limit; or which field cannot be read, or is out of bounds. */
export function limitOf(
  what: Limited,
  { speed, operations, burst }: LimitDraft,
): { limit: RateLimit | null; problem: null } | { problem: 'speed' | 'operations' } {
  const read = (text: string) => (text.trim() === '' ? null : Number(text.trim().replace(',', '.')))
  const within = (value: number | null, { min, max }: { min: number; max: number }) =>
    value === null || (value >= min && value <= max)
  const typedSpeed = read(speed)
  const bytesPerSecond = typedSpeed === null ? null : Math.round(typedSpeed * speedUnits[what])
  const operationsPerSecond = read(operations)
  if (!within(bytesPerSecond, rateBounds.bytesPerSecond)) return { problem: 'speed' }
  if (
    !within(operationsPerSecond, rateBounds.operationsPerSecond) ||
    (operationsPerSecond !== null && !Number.isInteger(operationsPerSecond))
  )
    return { problem: 'operations' }
  if (bytesPerSecond === null && operationsPerSecond === null) return { limit: null, problem: null }
  return { limit: { bytesPerSecond, operationsPerSecond, burstSeconds: Number(burst) }, problem: null }
}
