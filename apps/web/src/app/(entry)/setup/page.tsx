import { Setup } from '../../../features/entry/setup.tsx'
import { m } from '../../../messages/index.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.entry.setup.pageTitle)

export default function Page() {
  return <Setup />
}
