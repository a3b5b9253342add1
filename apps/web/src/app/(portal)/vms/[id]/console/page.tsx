import { VmConsoleTab } from '../../../../../features/console/vm-console-tab.tsx'

export default function Page() {
  return <VmConsoleTab />
}
