import { HomeSettingsPage } from '../../../features/people/home-settings.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.projects.home.title)

export default function Page() {
  return <HomeSettingsPage />
}
