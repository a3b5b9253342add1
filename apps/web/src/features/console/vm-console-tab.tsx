'use client'
import { useVmPage } from '../vms/vm-context.ts'
import { SerialConsole } from './serial-console.tsx'

export function VmConsoleTab() {
  const { vm, actions } = useVmPage()
  return <SerialConsole vm={vm} actions={actions} />
}
