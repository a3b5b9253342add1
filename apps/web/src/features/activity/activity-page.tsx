'use client'
import { m } from '../../messages/index.ts'
import { PageHeader } from '../../ui/layout.tsx'
import { ActivityFeed } from './activity-feed.tsx'

export function ActivityPage() {
  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={m.images.activity.title} description={m.images.activity.description} />
      <ActivityFeed />
    </div>
  )
}
