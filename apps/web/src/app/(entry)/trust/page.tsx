import type { Metadata } from 'next'
import { Trust } from '../../../features/entry/trust.tsx'
import { m } from '../../../messages/index.ts'

export const metadata: Metadata = { title: m.trust.pageTitle }

export default function Page() {
  return <Trust />
}
