'use client'
import { useState } from 'react'
import type { SnapshotPlan, SnapshotsView } from '../../../server/views/index.ts'
import { dateTime } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Field, Input, Select } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import type { Snapshots } from './use-snapshots.ts'
import { useVmPage } from './vm-context.ts'

const t = m.snapshots.schedule
type Every = SnapshotPlan['every'] | 'never'

interface Draft {
  every: Every
  time: string
  weekday: number
  keep: string
}

/** At night, a week's worth: what most want. */
const proposed: Draft = { every: 'never', time: '03:00', weekday: 0, keep: '7' }

function draftOf(schedule: SnapshotsView['schedule']): Draft {
  if (!schedule) return proposed
  const { every, minute, weekday, keep } = schedule
  const two = (value: number) => String(value).padStart(2, '0')
  return { every, time: `${two(Math.floor(minute / 60))}:${two(minute % 60)}`, weekday, keep: String(keep) }
}

/** The plan that was filled in; null when something of it cannot be. */
function planOf(draft: Draft): SnapshotPlan | null {
  const time = /^(\d{2}):(\d{2})/.exec(draft.time)
  const keep = Number(draft.keep)
  if (draft.every === 'never' || !time || !Number.isInteger(keep) || keep < 1 || keep > 100) return null
  const minute = (draft.every === 'hour' ? 0 : Number(time[1]) * 60) + Number(time[2])
  return { every: draft.every, minute, weekday: draft.weekday, keep }
}

export function SnapshotScheduleForm({ snapshots, view }: { snapshots: Snapshots; view: SnapshotsView }) {
  const { vm } = useVmPage()
  const now = useNow()
  const [edited, setEdited] = useState<Draft | null>(null)
  const saved = draftOf(view.schedule)
  const draft = edited ?? saved
  const plan = planOf(draft)
  const { schedule } = snapshots
  const change = (part: Partial<Draft>) => setEdited({ ...draft, ...part })
  const unchanged = JSON.stringify(draft) === JSON.stringify(saved)
  const why =
    vm.diskBytes === null
      ? vm.can.snapshot.why
      : unchanged
        ? m.vmSettings.nothingChanged
        : draft.every !== 'never' && plan === null
          ? t.problem
          : null
  return (
    <Card title={t.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (why !== null) return
          schedule.mutate(
            { vmId: vm.id, schedule: plan },
            {
              onSuccess: () => {
                setEdited(null)
                toast.success(plan ? t.saved : t.off)
              },
            },
          )
        }}
        className="flex flex-col gap-4"
      >
        <div className="grid grid-cols-2 gap-4">
          <Field label={t.every}>
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
              <Select
                value={draft.weekday}
                onChange={(event) => change({ weekday: Number(event.target.value) })}
              >
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
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p className="min-w-0 flex-1 basis-40 text-13 text-ink-3">
            {view.schedule && now ? t.next(dateTime(view.schedule.nextAt), view.timezone) : t.hint}
          </p>
          <Button type="submit" busy={schedule.isPending} whyDisabled={why}>
            {t.save}
          </Button>
        </div>
      </form>
    </Card>
  )
}

/** 0 is Sunday; 4 January 1970 was one. */
function weekdayName(day: number): string {
  return new Intl.DateTimeFormat(undefined, { weekday: 'long', timeZone: 'UTC' }).format(
    new Date(Date.UTC(1970, 0, 4 + day)),
  )
}
