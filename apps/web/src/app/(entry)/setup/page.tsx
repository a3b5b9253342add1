import type { Metadata } from 'next'
import { Setup } from '../../../features/entry/setup.tsx'
import { m } from '../../../messages/index.ts'

export const metadata: Metadata = { title: m.entry.setup.pageTitle }

export default function Page() {
  return <Setup />
}
