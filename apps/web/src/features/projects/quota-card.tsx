'use client'
import { quotaResources } from '@hearth/shared/quota'
import { useState } from 'react'
import type { ProjectView } from '../../data/hooks.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Gauge } from '../../ui/gauge.tsx'
import { Card } from '../../ui/layout.tsx'
import { amount } from './amounts.ts'
import { QuotaEdit } from './quota-edit.tsx'

const t = m.projects.quota

export function QuotaGauges({ project }: { project: ProjectView }) {
  return (
    <div className="grid grid-cols-1 gap-x-8 gap-y-5 sm:grid-cols-2 lg:grid-cols-3">
      {quotaResources.map((key) => {
        const line = project.quota.find((one) => one.key === key)
        if (!line) return null
        const used = amount(key, line.used)
        return (
          <Gauge
            key={key}
            label={t.keys[key] ?? key}
            used={line.used}
            limit={line.limit}
            text={
              line.limit === null
                ? m.common.gauge.unlimited(used)
                : m.common.gauge.after(used, amount(key, line.limit))
            }
          />
        )
      })}
    </div>
  )
}

export function QuotaCard({ project }: { project: ProjectView }) {
  const [editing, setEditing] = useState(false)
  // What has no limit of its own needs no words.
  const most = (['vm_vcpus', 'vm_memory', 'vm_disk'] as const).flatMap((key) => {
    const limit = project.quota.find((one) => one.key === key)?.limit ?? null
    return limit === null ? [] : [t.ofVm[key](amount(key, limit))]
  })
  return (
    <Card
      title={t.title}
      aside={
        <Button size="sm" whyDisabled={project.can.setQuota.why} onClick={() => setEditing(true)}>
          {t.edit}
        </Button>
      }
    >
      <QuotaGauges project={project} />
      <p className="mt-5 text-13 text-ink-3">{most.length === 0 ? t.perVmAll : t.perVm(most.join(', '))}</p>
      {editing ? <QuotaEdit project={project} onClose={() => setEditing(false)} /> : null}
    </Card>
  )
}
