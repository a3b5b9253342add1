/** Starting the monitor of one VM: its jail made, its command line put together, its process detached. */
import { type RunOptions, vmmCommandLine } from '@hearth/vmm'
import { expendable } from '../host/out-of-memory.ts'
import type { Jails } from './jails.ts'
import { type LaunchedProcess, launchDetached } from './launch.ts'

export async function launchMonitor(options: {
  jails: Jails
  vm: { vmUid: string; cpus: number; memoryBytes: number }
  /** Program and first arguments that start hearth-vmm. */
  program: { command: string; args: string[] }
  /** All of the machine but its jail. */
  machine: Omit<RunOptions, 'jail'>
  logFile: string
  bootId: string
  /** Told the user it runs as, before it does. */
  onUid: (uid: number) => Promise<void>
}): Promise<LaunchedProcess> {
  const { jails, vm, program, machine, logFile, bootId, onUid } = options
  const jail = await jails.prepare(vm)
  try {
    const { option } = jail
    if (option.kind === 'namespaces' && option.uid !== undefined) await onUid(option.uid)
    const [command, ...args] = [
      ...expendable,
      ...jail.launcher,
      program.command,
      ...program.args,
      ...vmmCommandLine({ ...machine, jail: option }),
    ]
    return await launchDetached({
      command: command!,
      args,
      logFile,
      bootId,
      environment: jail.environment,
      extraFds: jail.extraFds,
    })
  } finally {
    await jail.release()
  }
}
