import { creationDemand, type QuotaResource } from '@hearth/shared/quota'
import type { ProjectView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { Gauge } from '../../ui/gauge.tsx'
import { amount } from '../projects/amounts.ts'
import type { Figures } from './draft.ts'

const shown: readonly QuotaResource[] = ['vcpus', 'memory', 'disk']

/** The project's quota before and after the VM that is being described. */
export function CreateQuota({ project, shape }: { project: ProjectView; shape: Figures }) {
  const demand = creationDemand(
    { cpus: shape.cpus ?? 0, memoryBytes: shape.memoryBytes ?? 0, diskBytes: shape.diskBytes ?? 0 },
    true,
  )
  const lines = project.quota.filter(
    ({ key, limit }) => limit !== null && shown.some((resource) => resource === key),
  )
  if (lines.length === 0) return null
  return (
    <div className="flex flex-col gap-3.5">
      {lines.map(({ key, used, limit }) => {
        const adding = demand[key] ?? 0
        return (
          <Gauge
            key={key}
            label={m.projects.quota.keys[key] ?? key}
            used={used}
            adding={adding}
            limit={limit}
            text={m.common.gauge.after(amount(key, used + adding), amount(key, limit ?? 0))}
          />
        )
      })}
    </div>
  )
}
