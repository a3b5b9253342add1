import { VmNetworkTab } from '../../../../../features/vms/vm-network-tab.tsx'

export default function Page() {
  return <VmNetworkTab />
}
