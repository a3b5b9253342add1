'use client'
import { quotaResources } from '@hearth/shared/quota'
import { useState } from 'react'
import type { ProjectView } from '../../data/hooks.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Gauge } from '../../ui/gauge.tsx'
import { Card } from '../../ui/layout.tsx'
import { amount, limitText } from './amounts.ts'
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
  const maximum = (key: 'vm_vcpus' | 'vm_memory' | 'vm_disk') => {
    const line = project.quota.find((one) => one.key === key)
    return line ? limitText(line) : ''
  }
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
      <p className="mt-5 text-13 text-ink-3">
        {t.perVm(maximum('vm_vcpus'), maximum('vm_memory'), maximum('vm_disk'))}
      </p>
      {editing ? <QuotaEdit project={project} onClose={() => setEditing(false)} /> : null}
    </Card>
  )
}
