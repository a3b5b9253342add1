import { VmApiTab } from '../../../../../features/vms/vm-api-tab.tsx'

export default function Page() {
  return <VmApiTab />
}
