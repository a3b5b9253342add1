'use client'
import type { QuotaKey } from '@hearth/shared/quota'
import type { ProjectView } from '../../data/hooks.ts'
import { useChosenProject } from '../../lib/chosen-project.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Gauge } from '../../ui/gauge.tsx'
import { Card, Skeleton } from '../../ui/layout.tsx'
import { amount } from '../projects/amounts.ts'
import { SmallTable } from './small-table.tsx'

const t = m.dashboard
const c = t.usersColumns
const shown = ['vms', 'vcpus', 'memory', 'disk'] as const satisfies readonly QuotaKey[]

const used = (project: ProjectView, key: QuotaKey) =>
  project.quota.find((line) => line.key === key)?.used ?? 0

/** What one has left, in the project one works in. */
export function OwnQuota({ projects }: { projects: readonly ProjectView[] | undefined }) {
  const chosen = useChosenProject()
  if (!projects) return <Skeleton className="h-56 rounded-card!" />
  const project = projects.find(({ id }) => id === chosen) ?? projects[0]
  if (!project) return null
  return (
    <Card title={projects.length > 1 ? t.quotaOf(project.name) : t.quota}>
      <div className="flex flex-col gap-4">
        {shown.map((key) => {
          const line = project.quota.find((each) => each.key === key)
          if (!line) return null
          return (
            <Gauge
              key={key}
              label={m.create.quotaNames[key]}
              used={line.used}
              limit={line.limit}
              text={
                line.limit === null
                  ? m.create.quotaOpen(amount(key, line.used))
                  : m.create.quotaAfter(amount(key, line.used), amount(key, line.limit))
              }
            />
          )
        })}
      </div>
    </Card>
  )
}

/** For who looks after the home: the projects that take most, by memory, then by disk. */
export function WhoUsesWhat({ projects }: { projects: readonly ProjectView[] }) {
  const sorted = [...projects].sort(
    (one, other) => used(other, 'memory') - used(one, 'memory') || used(other, 'disk') - used(one, 'disk'),
  )
  return (
    <Card title={t.users} flush>
      <SmallTable
        columns={[c.project, c.running, c.memory, c.disk]}
        rows={sorted.slice(0, 6).map((project) => ({
          key: project.id,
          href: paths.project(project.id),
          name: project.name,
          figures: [
            t.of(String(project.running), String(project.vms)),
            amount('memory', used(project, 'memory')),
            amount('disk', used(project, 'disk')),
          ],
        }))}
      />
    </Card>
  )
}
