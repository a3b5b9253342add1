import type { Metadata } from 'next'
import { Tokens } from '../../../../features/settings/tokens.tsx'
import { m } from '../../../../messages/index.ts'

export const metadata: Metadata = { title: m.settings.tokens.title }

export default function Page() {
  return <Tokens />
}
