import { RecordingPage } from '../../../../features/recordings/recording-page.tsx'
import { m } from '../../../../messages/all.ts'
import { pageTitle } from '../../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.recordings.one)

export default async function Page({ params }: { params: Promise<{ uid: string }> }) {
  return <RecordingPage recordingUid={(await params).uid} />
}
