import { Security } from '../../../../features/settings/security.tsx'
import { m } from '../../../../messages/all.ts'
import { pageTitle } from '../../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.security.title)

export default function Page() {
  return <Security />
}
