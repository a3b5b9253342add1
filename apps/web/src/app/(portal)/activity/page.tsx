import { ActivityPage } from '../../../features/activity/activity-page.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.images.activity.title)

export default function Page() {
  return <ActivityPage />
}
