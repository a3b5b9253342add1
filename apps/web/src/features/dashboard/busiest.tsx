'use client'
import Link from 'next/link'
import type { VmView } from '../../data/hooks.ts'
import { bytes, percent } from '../../lib/format.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Card } from '../../ui/layout.tsx'
import { useVmsNow } from '../vms/use-vms-now.ts'

const t = m.dashboard
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
        <table className="w-full text-left">
          <thead className="border-line border-b text-ink-3 text-xs">
            <tr>
              <th scope="col" className="px-5 py-2 font-medium">
                {t.busiestColumns.vm}
              </th>
              <th scope="col" className="px-2 py-2 text-right font-medium">
                {t.busiestColumns.cpu}
              </th>
              <th scope="col" className="px-2 py-2 text-right font-medium">
                {t.busiestColumns.memory}
              </th>
              <th scope="col" className="py-2 pr-5 pl-2 text-right font-medium max-sm:hidden">
                {t.busiestColumns.network}
              </th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {busy.map(({ vm, now }) => (
              <tr key={vm.id} className="tnum relative text-13 hover:bg-raised/45">
                <td className="w-full max-w-0 truncate px-5 py-2.5">
                  <Link
                    href={`${paths.vm(vm.id)}/metrics`}
                    className="font-medium outline-offset-[-2px] after:absolute after:inset-0"
                  >
                    {vm.name}
                  </Link>
                </td>
                <td className="whitespace-nowrap px-2 py-2.5 text-right text-ink-2">
                  {percent(now.cpu / vm.cpus)}
                </td>
                <td className="whitespace-nowrap px-2 py-2.5 text-right text-ink-2">
                  {bytes(Math.round(now.guestMemoryBytes ?? now.memoryBytes))}
                </td>
                <td className="whitespace-nowrap py-2.5 pr-5 pl-2 text-right text-ink-2 max-sm:hidden">
                  {m.metrics.perSecond(bytes(Math.round(now.netBytes)))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}
