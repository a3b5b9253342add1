'use client'
import { SquareTerminal } from 'lucide-react'
import Link from 'next/link'
import type { VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { ImageMark } from '../../ui/image-mark.tsx'
import { Card, Skeleton } from '../../ui/layout.tsx'
import { StatusPill } from '../../ui/status.tsx'
import { vmStatus } from '../vms/vm-status.ts'

const t = m.dashboard
const rows = 6

/** What a member comes for: one's VMs, how they are, and one click into each. Those that run come first. */
export function MyVms({ vms }: { vms: readonly VmView[] | undefined }) {
  if (!vms) return <Skeleton className="h-56 rounded-card!" />
  if (vms.length === 0) return null
  const on = (vm: VmView) => (vm.state === 'running' ? 0 : 1)
  const sorted = [...vms].sort((one, other) => on(one) - on(other) || one.name.localeCompare(other.name))
  return (
    <Card
      title={t.myVms}
      flush
      aside={
        <Link href={paths.vms()} className="font-medium text-13 text-ember hover:underline">
          {vms.length > rows ? t.allVms(vms.length) : m.vms.title}
        </Link>
      }
    >
      <ul className="divide-y divide-line">
        {sorted.slice(0, rows).map((vm) => {
          const { tone, label } = vmStatus(vm)
          return (
            <li key={vm.id} className="relative flex items-center gap-3 px-5 py-3 hover:bg-raised/45">
              <ImageMark uid={vm.image.uid} size="sm" />
              <div className="min-w-0 flex-1">
                <Link
                  href={paths.vm(vm.id)}
                  className="block truncate font-medium outline-offset-[-2px] after:absolute after:inset-0"
                >
                  {vm.name}
                </Link>
                <span className="block truncate text-13 text-ink-3">{vm.addresses[0] ?? vm.image.name}</span>
              </div>
              <StatusPill tone={tone}>{label}</StatusPill>
              {vm.can.console.ok ? (
                <Link
                  href={paths.vmConsole(vm.id)}
                  aria-label={m.common.palette.onVm(m.vms.power.console, vm.name)}
                  className={buttonClass('ghost', 'sm', 'relative z-10 size-8 px-0')}
                >
                  <SquareTerminal aria-hidden="true" />
                </Link>
              ) : null}
            </li>
          )
        })}
      </ul>
    </Card>
  )
}
