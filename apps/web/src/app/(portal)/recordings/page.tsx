import { Suspense } from 'react'
import { RecordingsPage } from '../../../features/recordings/recordings-page.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.recordings.title)

export default function Page() {
  return (
    <Suspense>
      <RecordingsPage />
    </Suspense>
  )
}
