import { VmSnapshotsTab } from '../../../../../features/vms/vm-snapshots-tab.tsx'

export default function Page() {
  return <VmSnapshotsTab />
}
