import { VolumesPage } from '../../../features/volumes/volumes-page.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.volumes.title)

export default function Page() {
  return <VolumesPage />
}
