import { BackupsPage } from '../../../features/backups/backups-page.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.backups.title)

export default function Page() {
  return <BackupsPage />
}
