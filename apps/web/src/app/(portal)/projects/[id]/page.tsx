import { ProjectPage } from '../../../../features/projects/project-page.tsx'
import { m } from '../../../../messages/all.ts'
import { pageTitle } from '../../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.projects.title)

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <ProjectPage id={Number((await params).id)} />
}
