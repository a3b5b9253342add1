/**
 * Asking a guest to shut down: the power button first, and its guest agent only where the button had no effect.
 * Never both at once: `qemu-guest-agent` that is told to shut down a system already doing so waits for it, and
 * systemd then waits 90 seconds for the agent.
 */
import type { Vm } from './vm.ts'

/** Most guests are down well before; a guest without a listener for the button still gets most of the time. */
const buttonShare = 1 / 3

type Guest = Pick<Vm, 'powerdown' | 'askGuestToShutDown' | 'untilStopped'>

/** True when it is off; false when `timeoutMs` passed before. Rejects where its monitor does not answer the button. */
export async function shutDown(
  vm: Guest,
  options: { keepDesired: boolean; timeoutMs: number },
): Promise<boolean> {
  const { keepDesired, timeoutMs } = options
  const deadline = Date.now() + timeoutMs
  await vm.powerdown({ keepDesired })
  if (await vm.untilStopped(timeoutMs * buttonShare)) return true
  await vm.askGuestToShutDown()
  return vm.untilStopped(Math.max(0, deadline - Date.now()))
}
