import { ApiPage } from '../../../features/api/api-page.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.api.title)

export default function Page() {
  return <ApiPage />
}
