import type { Metadata } from 'next'
import { VmCreate } from '../../../../features/create/vm-create.tsx'
import { m } from '../../../../messages/index.ts'

export const metadata: Metadata = { title: m.create.pageTitle }

export default function Page() {
  return <VmCreate />
}
