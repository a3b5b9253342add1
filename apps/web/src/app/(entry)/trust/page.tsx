import { Trust } from '../../../features/entry/trust.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.trust.pageTitle)

export default function Page() {
  return <Trust />
}
