/** Whether this machine's /dev/kvm runs ordinary guests: found out by running one, not by looking for a file. */
import { execFile } from 'node:child_process'
import { access, constants, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { z } from 'zod'
import { inRepository } from '../lib/paths.ts'

export type KvmProbe = { usable: true } | { usable: false; reason: string; hint: string }

const DEVICE = '/dev/kvm'
/** A software backend may hang instead of refusing. */
const LIMIT_MS = 20_000
const answer = z.object({ problem: z.string().nullable() })

export async function probeKvm(): Promise<KvmProbe> {
  const device = await stat(DEVICE).catch(() => undefined)
  if (!device) {
    return {
      usable: false,
      reason: `this machine has no ${DEVICE}`,
      hint: 'Switch virtualisation (AMD-V or VT-x) on in the firmware; in a VM, switch nested virtualisation on.',
    }
  }
  const permitted = await access(DEVICE, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!permitted) {
    return {
      usable: false,
      reason: `${DEVICE} may not be opened by this user`,
      hint: `Add the user to the group that owns it ("sudo usermod -aG kvm $USER", then sign in anew), or run as root.`,
    }
  }
  const problem = await runGuest()
  if (problem === null) return { usable: true }
  return {
    usable: false,
    reason: `this machine's ${DEVICE} does not run ordinary guests: ${problem}`,
    hint: 'Use a machine with hardware virtualisation.',
  }
}

async function runGuest(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [inRepository('packages/vmm/src/probe/program.ts')],
      { timeout: LIMIT_MS, killSignal: 'SIGKILL' },
    )
    return answer.parse(JSON.parse(stdout)).problem
  } catch (error) {
    if ((error as { killed?: boolean }).killed)
      return `a simple guest did not end within ${LIMIT_MS / 1000} s`
    return (error as Error).message.split('\n')[0] ?? 'the probe failed'
  }
}
