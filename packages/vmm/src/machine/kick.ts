/**
 * Gets a vCPU thread out of KVM_RUN: a signal whose handler is native code that does nothing (a JS handler
 * would never run, the thread is inside one long call), together with immediate_exit for the moment just before
 * the call.
 */
import { check, sigaction, symbolAddress, tgkill } from '../sys/libc.ts'

/** SIGUSR1 belongs to Node's inspector. */
const SIGUSR2 = 12
/** struct sigaction of glibc on x86-64: handler, 128 bytes of mask, flags, restorer. */
const SIGACTION_BYTES = 152

let installed = false

export function installKickHandler(): void {
  if (installed) return
  const action = new DataView(new ArrayBuffer(SIGACTION_BYTES))
  // abs(signal) is harmless, async-signal-safe and in every libc. No SA_RESTART: the call must return EINTR.
  action.setBigUint64(0, BigInt(symbolAddress('abs')), true)
  check('sigaction', sigaction(SIGUSR2, action, null))
  installed = true
}

export function signalThread(tid: number): void {
  tgkill(process.pid, tid, SIGUSR2)
}
