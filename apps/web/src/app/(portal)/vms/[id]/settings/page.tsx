import { VmSettingsTab } from '../../../../../features/vms/vm-settings-tab.tsx'

export default function Page() {
  return <VmSettingsTab />
}
