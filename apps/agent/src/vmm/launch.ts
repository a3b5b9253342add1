/** Starting hearth-vmm: its command line, its detachment from the agent, and where its output goes. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { open, rename, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { identifyProcess, type ProcessIdentity } from '../host/process-identity.ts'
import type { ChildExit } from './monitor.ts'

export interface VmSockets {
  control: string
  serial: string
  display: string
  /** The port of the guest's agent. */
  guestAgent: string
  /** passt's, where the VM has one. */
  net: string
}

/** Short names: a unix socket's path has 107 bytes at most, and the uid alone would take 36. */
export function vmSockets(runDir: string, vmUid: string): VmSockets {
  const short = createHash('sha256').update(vmUid).digest('hex').slice(0, 12)
  return {
    control: join(runDir, `${short}.ctl`),
    serial: join(runDir, `${short}.serial`),
    display: join(runDir, `${short}.display`),
    guestAgent: join(runDir, `${short}.agent`),
    net: join(runDir, `${short}.net`),
  }
}

/** vmm.log is cut back when a start finds it above this; and emptied when a running monitor exceeds the limit. */
const vmmLogKept = 1024 * 1024
const vmmLogLimit = 4 * 1024 * 1024

export interface LaunchedProcess {
  identity: ProcessIdentity
  exit: ChildExit
}

/** Starts a program in its own session, so that no signal to the agent's group and no end of the agent reaches it. */
export async function launchDetached(options: {
  command: string
  args: string[]
  logFile: string
  bootId: string
  environment?: Record<string, string>
  /** Descriptors the program gets from 3 on. */
  extraFds?: number[]
}): Promise<LaunchedProcess> {
  await keepLogSmall(options.logFile)
  // O_APPEND: emptying the file under a running process must not leave a hole of the old length.
  const log = await open(options.logFile, 'a', 0o600)
  try {
    const child = spawn(options.command, options.args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd, ...(options.extraFds ?? [])],
      cwd: '/',
      env: {
        PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
        LANG: 'C.UTF-8',
        ...options.environment,
      },
    })
    const exit: ChildExit = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    const identity = child.pid === undefined ? null : identifyProcess(child.pid, options.bootId)
    if (identity) return { identity, exit }
    // It ended before we could look: its exit code says why.
    return { identity: { pid: child.pid ?? 1, startTicks: 0, bootId: options.bootId }, exit }
  } finally {
    await log.close()
  }
}

async function keepLogSmall(path: string): Promise<void> {
  const size = (await stat(path).catch(() => null))?.size ?? 0
  if (size > vmmLogKept) await rename(path, `${path}.1`)
}

export async function boundLog(path: string): Promise<void> {
  const size = (await stat(path).catch(() => null))?.size ?? 0
  if (size > vmmLogLimit) await truncate(path, 0)
}

/** The last non-empty line of a log, for a reason a person can read; null when there is none. */
export async function lastLogLine(path: string): Promise<string | null> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch {
    return null
  }
  try {
    const { size } = await file.stat()
    const length = Math.min(size, 4096)
    const buffer = Buffer.alloc(length)
    await file.read(buffer, 0, length, size - length)
    const lines = buffer.toString('utf8').split('\n')
    return lines.findLast((line) => line.trim() !== '')?.trim() ?? null
  } finally {
    await file.close()
  }
}

export async function removeSockets(sockets: VmSockets): Promise<void> {
  await Promise.all(Object.values(sockets).map((path: string) => rm(path, { force: true })))
}
