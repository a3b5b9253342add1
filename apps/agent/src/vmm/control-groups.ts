/**
 * A control group (version 2) for every monitor, so that one that runs wild takes its own VM's share of the host and
 * no more. Where the host does not let the agent make any, VMs run without these limits.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GIB, MIB } from '@hearth/shared/units'
import { errorText, type Log } from '../log.ts'

const root = '/sys/fs/cgroup'
const controllers = ['memory', 'cpu', 'pids'] as const

export interface MonitorSize {
  cpus: number
  memoryBytes: number
}

/** File name and content of each limit (cgroup-v2.rst, "Controllers"). */
function limits({ cpus, memoryBytes }: MonitorSize): [string, string][] {
  // The guest's memory, what the monitor itself needs, and room for the disks' cache to be of use.
  const memory = memoryBytes + 256 * MIB + cpus * 16 * MIB + Math.min(memoryBytes / 8, GIB)
  const periodUs = 100_000
  return [
    ['memory.max', String(Math.ceil(memory))],
    // A CPU's worth beside the guest's own, for devices and display.
    ['cpu.max', `${(cpus + 1) * periodUs} ${periodUs}`],
    // Threads of the monitor and of the kernel on its behalf (io_uring, KVM).
    ['pids.max', '1024'],
  ]
}

export class ControlGroups {
  readonly #folder: string | null
  readonly #log: Log

  private constructor(folder: string | null, log: Log) {
    this.#folder = folder
    this.#log = log
  }

  /** `runDir` tells this agent's groups from another one's. */
  static async open(runDir: string, log: Log): Promise<ControlGroups> {
    if (!existsSync(join(root, 'cgroup.controllers'))) {
      log.warn('this host has no control groups of version 2: VMs have no limits but their own size')
      return new ControlGroups(null, log)
    }
    const folder = join(root, `hearth-${createHash('sha256').update(runDir).digest('hex').slice(0, 8)}`)
    try {
      await mkdir(folder, { recursive: true })
    } catch (error) {
      log.warn('no control groups can be made: VMs have no limits but their own size', {
        error: errorText(error),
      })
      return new ControlGroups(null, log)
    }
    for (const place of [root, folder]) {
      for (const controller of controllers) {
        await writeFile(join(place, 'cgroup.subtree_control'), `+${controller}`).catch((error: unknown) =>
          log.warn('a limit of control groups is not to be had', { controller, error: errorText(error) }),
        )
      }
    }
    return new ControlGroups(folder, log)
  }

  /** Makes the group or sets its limits anew; null where there are none. */
  async prepare(name: string, size: MonitorSize): Promise<string | null> {
    if (this.#folder === null) return null
    const folder = join(this.#folder, name)
    try {
      await mkdir(folder, { recursive: true })
    } catch (error) {
      this.#log.warn('no control group for a VM', { folder, error: errorText(error) })
      return null
    }
    for (const [file, value] of limits(size)) {
      // A controller that is missing was reported at the start.
      if (existsSync(join(folder, file))) await writeFile(join(folder, file), value)
    }
    return folder
  }

  /** After the last process of the group. What is left is taken up again at the next start. */
  async remove(name: string): Promise<void> {
    if (this.#folder === null) return
    await rmdir(join(this.#folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') this.#log.warn('a control group stays', { name, error: errorText(error) })
    })
  }

  /** The agent ends: its folder goes when no VM is left in it. */
  async close(): Promise<void> {
    if (this.#folder !== null) await rmdir(this.#folder).catch(() => undefined)
  }
}
