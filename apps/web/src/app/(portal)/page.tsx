import type { Metadata } from 'next'
import { VmList } from '../../features/vms/vm-list.tsx'
import { m } from '../../messages/index.ts'

export const metadata: Metadata = { title: m.vms.title }

export default function Page() {
  return <VmList />
}
