/**
 * All running guests down, because the box (or the foreground program) is going down: the power button for all
 * at once, then off for those that did not react. They stay marked to run: nobody asked for them to be off.
 */
import { shutDown } from './shut-down.ts'
import type { Vm } from './vm.ts'

export async function shutdownGuests(
  vms: Vm[],
  timeoutMs: number,
): Promise<{ stopped: number; forced: number }> {
  const deadline = Date.now() + timeoutMs
  let forced = 0
  const running = vms.filter((vm) => vm.hasProcess)
  await Promise.all(
    running.map(async (vm) => {
      if (timeoutMs > 0) {
        // A monitor that does not answer the button is ended all the same below.
        const off = await shutDown(vm, { keepDesired: true, timeoutMs }).catch(() =>
          vm.untilStopped(Math.max(0, deadline - Date.now())),
        )
        if (off) return noteDown(vm)
      }
      if (!vm.hasProcess) return
      forced++
      await vm.powerOff({ keepDesired: true })
      await noteDown(vm)
    }),
  )
  return { stopped: running.length - forced, forced }
}

async function noteDown(vm: Vm): Promise<void> {
  if (vm.record.desired === 'running') await vm.setRecord({ downWithHost: true })
}
