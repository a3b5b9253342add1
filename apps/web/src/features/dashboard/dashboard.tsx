'use client'
import { Plus } from 'lucide-react'
import Link from 'next/link'
import { useHosts, useSession, useVms } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { PageHeader } from '../../ui/layout.tsx'
import { FirstVm } from '../vms/first-vm.tsx'
import { HostStrip } from '../vms/host-strip.tsx'

/** The home at a glance: how its boxes are, what is under way, what happened. */
export function Dashboard() {
  const { session } = useSession()
  const { hosts } = useHosts()
  const { vms } = useVms()
  return (
    <div className="flex flex-col gap-5">
      <PageHeader
        title={session?.homeName || m.dashboard.title}
        actions={
          vms && vms.length > 0 ? (
            <Link href={paths.vmNew()} className={buttonClass('primary')}>
              <Plus aria-hidden="true" />
              {m.vms.create}
            </Link>
          ) : null
        }
      />
      <HostStrip hosts={hosts} vms={vms} />
      {vms?.length === 0 ? <FirstVm /> : null}
    </div>
  )
}
