'use client'
import { useVmPage } from '../vms/vm-context.ts'
import { ConsoleView } from './console-view.tsx'

export function VmConsoleTab() {
  const { vm, actions } = useVmPage()
  return <ConsoleView vm={vm} actions={actions} />
}
