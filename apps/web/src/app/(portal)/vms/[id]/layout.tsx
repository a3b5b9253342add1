import type { ReactNode } from 'react'
import { VmFrame } from '../../../../features/vms/vm-frame.tsx'

export default async function VmLayout({
  children,
  params,
}: {
  children: ReactNode
  params: Promise<{ id: string }>
}) {
  return <VmFrame id={Number((await params).id)}>{children}</VmFrame>
}
