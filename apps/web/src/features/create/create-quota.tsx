'use client'
import {
  type Demand,
  formatAmount,
  limitFor,
  type QuotaLine,
  quotaResources,
  shortfalls,
} from '@hearth/shared/quota'
import { useMutation } from '@tanstack/react-query'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { currentLocale } from '../../messages/language.ts'
import { Button } from '../../ui/button.tsx'
import { Gauge } from '../../ui/gauge.tsx'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'

const t = m.create

/** What the project has used, and what this would add; what does not fit can be asked for in one click. */
export function CreateQuota({
  projectId,
  quota,
  demand,
}: {
  projectId: number
  quota: readonly QuotaLine[]
  demand: Demand
}) {
  const ask = useMutation(
    useTRPC().quota.request.mutationOptions({
      onSuccess: () => toast.success(t.asked),
      onError: tellRefusal,
    }),
  )
  const [short] = shortfalls(quota, demand)
  const shown = quotaResources.filter((key) => ['vms', 'vcpus', 'memory', 'disk'].includes(key))
  return (
    <div className="flex flex-col gap-3">
      {shown.map((key) => {
        const line = quota.find((each) => each.key === key)
        if (!line) return null
        const adding = demand[key] ?? 0
        const amount = (value: number) => formatAmount(key, value, currentLocale())
        const after = amount(line.used + adding)
        return (
          <Gauge
            key={key}
            label={t.quotaNames[key]}
            used={line.used}
            adding={adding}
            limit={line.limit}
            text={line.limit === null ? t.quotaOpen(after) : t.quotaAfter(after, amount(line.limit))}
          />
        )
      })}
      {short ? (
        <Button
          size="sm"
          busy={ask.isPending}
          onClick={() => ask.mutate({ projectId, key: short.key, wanted: limitFor(short) })}
        >
          {t.askMore}
        </Button>
      ) : null}
    </div>
  )
}
