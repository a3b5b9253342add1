import { PeoplePage } from '../../../features/people/people-page.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.projects.persons.title)

export default function Page() {
  return <PeoplePage />
}
