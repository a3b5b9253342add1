import { ProjectList } from '../../../features/projects/project-list.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.projects.title)

export default function Page() {
  return <ProjectList />
}
