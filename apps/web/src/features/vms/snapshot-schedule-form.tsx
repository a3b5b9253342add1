'use client'
import { useState } from 'react'
import type { SnapshotsView } from '../../../server/views/index.ts'
import { dateTime } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { draftOf, type PlanDraft, PlanFields, planOf } from './plan-fields.tsx'
import type { Snapshots } from './use-snapshots.ts'
import { useVmPage } from './vm-context.ts'

const t = m.snapshots.schedule
export function SnapshotScheduleForm({ snapshots, view }: { snapshots: Snapshots; view: SnapshotsView }) {
  const { vm } = useVmPage()
  const now = useNow()
  const [edited, setEdited] = useState<PlanDraft | null>(null)
  const saved = draftOf(view.schedule)
  const draft = edited ?? saved
  const plan = planOf(draft)
  const { schedule } = snapshots
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
        <PlanFields draft={draft} onChange={setEdited} />
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
