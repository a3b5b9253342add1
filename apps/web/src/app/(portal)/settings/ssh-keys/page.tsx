import { SshKeys } from '../../../../features/settings/ssh-keys.tsx'
import { m } from '../../../../messages/all.ts'
import { pageTitle } from '../../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.settings.keys.title)

export default function Page() {
  return <SshKeys />
}
