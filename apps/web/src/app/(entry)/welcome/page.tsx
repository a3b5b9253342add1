import { Welcome } from '../../../features/entry/welcome.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.welcome.pageTitle)

export default function Page() {
  return <Welcome />
}
