import { VmList } from '../../../features/vms/vm-list.tsx'
import { m } from '../../../messages/index.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.vms.title)

export default function Page() {
  return <VmList />
}
