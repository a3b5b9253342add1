import { VmMetricsTab } from '../../../../../features/vms/vm-metrics-tab.tsx'

export default function Page() {
  return <VmMetricsTab />
}
