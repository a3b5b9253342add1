import { VmActivityTab } from '../../../../../features/activity/vm-activity-tab.tsx'

export default function Page() {
  return <VmActivityTab />
}
