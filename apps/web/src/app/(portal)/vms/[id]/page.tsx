import { VmOverview } from '../../../../features/vms/vm-overview.tsx'

export default function Page() {
  return <VmOverview />
}
