import type { Metadata } from 'next'
import { ActivityPage } from '../../../features/activity/activity-page.tsx'
import { m } from '../../../messages/index.ts'

export const metadata: Metadata = { title: m.images.activity.title }

export default function Page() {
  return <ActivityPage />
}
