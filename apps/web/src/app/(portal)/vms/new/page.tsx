import { VmCreate } from '../../../../features/create/vm-create.tsx'
import { m } from '../../../../messages/all.ts'
import { pageTitle } from '../../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.create.pageTitle)

export default function Page() {
  return <VmCreate />
}
