import type { Metadata } from 'next'
import { Account } from '../../../../features/settings/account.tsx'
import { m } from '../../../../messages/index.ts'

export const metadata: Metadata = { title: m.settings.account.title }

export default function Page() {
  return <Account />
}
