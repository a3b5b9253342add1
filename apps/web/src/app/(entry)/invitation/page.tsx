import { Invitation } from '../../../features/entry/invitation.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.projects.invitation.pageTitle)

export default function Page() {
  return <Invitation />
}
