'use client'
import { useVmPage } from '../vms/vm-context.ts'
import { ActivityFeed } from './activity-feed.tsx'

export function VmActivityTab() {
  const { vm } = useVmPage()
  return <ActivityFeed vmId={vm.id} />
}
