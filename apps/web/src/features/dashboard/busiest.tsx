'use client'
import type { VmView } from '../../data/hooks.ts'
import { bytes, percent } from '../../lib/format.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Card } from '../../ui/layout.tsx'
import { useVmsNow } from '../vms/use-vms-now.ts'
import { SmallTable } from './small-table.tsx'

const t = m.dashboard
const c = t.busiestColumns
const rows = 6

/** Which VMs the boxes work for right now, by CPU, then by memory. */
export function Busiest({ vms }: { vms: readonly VmView[] | undefined }) {
  const figures = useVmsNow()
  const busy = (vms ?? [])
    .flatMap((vm) => {
      const now = figures.get(vm.id)
      return now ? [{ vm, now }] : []
    })
    .sort((one, other) => other.now.cpu - one.now.cpu || other.now.memoryBytes - one.now.memoryBytes)
    .slice(0, rows)
  return (
    <Card title={t.busiest} flush>
      {busy.length === 0 ? (
        <p className="px-5 py-4 text-13 text-ink-3">{t.nothingMeasured}</p>
      ) : (
        <SmallTable
          columns={[c.vm, c.cpu, c.memory, c.network]}
          lastWide
          rows={busy.map(({ vm, now }) => ({
            key: vm.id,
            href: `${paths.vm(vm.id)}/metrics`,
            name: vm.name,
            figures: [
              percent(now.cpu / vm.cpus),
              bytes(Math.round(now.guestMemoryBytes ?? now.memoryBytes)),
              m.metrics.perSecond(bytes(Math.round(now.netBytes))),
            ],
          }))}
        />
      )}
    </Card>
  )
}
