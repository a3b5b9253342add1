import { Account } from '../../../../features/settings/account.tsx'
import { m } from '../../../../messages/all.ts'
import { pageTitle } from '../../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.settings.account.title)

export default function Page() {
  return <Account />
}
