import { Dashboard } from '../../features/dashboard/dashboard.tsx'
import { m } from '../../messages/all.ts'
import { pageTitle } from '../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.dashboard.title)

export default function Page() {
  return <Dashboard />
}
