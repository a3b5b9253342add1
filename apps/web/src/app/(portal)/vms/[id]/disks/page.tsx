import { VmDisksTab } from '../../../../../features/vms/vm-disks-tab.tsx'

export default function Page() {
  return <VmDisksTab />
}
