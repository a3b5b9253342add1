import type { Metadata } from 'next'
import { SshKeys } from '../../../../features/settings/ssh-keys.tsx'
import { m } from '../../../../messages/index.ts'

export const metadata: Metadata = { title: m.settings.keys.title }

export default function Page() {
  return <SshKeys />
}
