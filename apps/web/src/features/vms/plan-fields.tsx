'use client'
import type { SnapshotPlan } from '../../../server/views/index.ts'
import { m } from '../../messages/all.ts'
import { Field, Input, Select } from '../../ui/field.tsx'

const t = m.snapshots.schedule
type Every = SnapshotPlan['every'] | 'never'

export interface PlanDraft {
  every: Every
  time: string
  weekday: number
  keep: string
}

/** At night, a week's worth: what most want. */
const proposed: PlanDraft = { every: 'never', time: '03:00', weekday: 0, keep: '7' }

export function draftOf(plan: SnapshotPlan | null): PlanDraft {
  if (!plan) return proposed
  const { every, minute, weekday, keep } = plan
  const two = (value: number) => String(value).padStart(2, '0')
  return { every, time: `${two(Math.floor(minute / 60))}:${two(minute % 60)}`, weekday, keep: String(keep) }
}

/** The plan that was filled in; null when something of it cannot be. */
export function planOf(draft: PlanDraft): SnapshotPlan | null {
  const time = /^(\d{2}):(\d{2})/.exec(draft.time)
  const keep = Number(draft.keep)
  if (draft.every === 'never' || !time || !Number.isInteger(keep) || keep < 1 || keep > 100) return null
  const minute = (draft.every === 'hour' ? 0 : Number(time[1]) * 60) + Number(time[2])
  return { every: draft.every, minute, weekday: draft.weekday, keep }
}

/** When something happens by itself, and how many of what it makes are kept. */
export function PlanFields({
  draft,
  label = t.every,
  onChange,
}: {
  draft: PlanDraft
  label?: string
  onChange: (draft: PlanDraft) => void
}) {
  const change = (part: Partial<PlanDraft>) => onChange({ ...draft, ...part })
  return (
    <div className="grid grid-cols-2 gap-4">
      <Field label={label}>
        <Select value={draft.every} onChange={(event) => change({ every: event.target.value as Every })}>
          {(['never', 'hour', 'day', 'week'] as const).map((every) => (
            <option key={every} value={every}>
              {t.everies[every]}
            </option>
          ))}
        </Select>
      </Field>
      {draft.every === 'never' ? null : (
        <Field label={t.keep}>
          <Input
            inputMode="numeric"
            className="tnum"
            value={draft.keep}
            onChange={(event) => change({ keep: event.target.value })}
          />
        </Field>
      )}
      {draft.every === 'week' ? (
        <Field label={t.weekday}>
          <Select value={draft.weekday} onChange={(event) => change({ weekday: Number(event.target.value) })}>
            {[1, 2, 3, 4, 5, 6, 0].map((day) => (
              <option key={day} value={day}>
                {weekdayName(day)}
              </option>
            ))}
          </Select>
        </Field>
      ) : null}
      {draft.every === 'day' || draft.every === 'week' ? (
        <Field label={t.at}>
          <Input
            type="time"
            className="tnum"
            value={draft.time}
            onChange={(event) => change({ time: event.target.value })}
          />
        </Field>
      ) : null}
    </div>
  )
}

/** 0 is Sunday; 4 January 1970 was one. */
function weekdayName(day: number): string {
  return new Intl.DateTimeFormat(undefined, { weekday: 'long', timeZone: 'UTC' }).format(
    new Date(Date.UTC(1970, 0, 4 + day)),
  )
}
