/**
 * What the agent does for a monitor's jail (docs/jail.md): namespaces made by a launcher, a user of the VM's own, a
 * control group, and a way to the host's network devices. What it cannot have here it does without, and says so.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type JailOption, launcherCommand, launcherEnvironment } from '@hearth/vmm'
import type { Log } from '../log.ts'
import { ControlGroups, type MonitorSize } from './control-groups.ts'

/**
 * `root`: namespaces and a user of its own. `user`: namespaces inside a user namespace, where the monitor stays the
 * agent's user to the host. `process`: what a process can do for itself.
 */
export type JailKind = 'root' | 'user' | 'process'

/** Where descriptors begin that a child gets beside stdin, stdout and stderr. */
const firstExtraFd = 3

export interface PreparedJail {
  /** What comes before the monitor's own command. */
  launcher: string[]
  option: JailOption
  environment: Record<string, string>
  /** Descriptors the child has from 3 on. */
  extraFds: number[]
  /** Once the child has been started, or not. */
  release(): Promise<void>
}

export class Jails {
  readonly #runDir: string
  readonly #log: Log
  readonly #uids = new Map<string, number>()
  #kind: JailKind = 'process'
  #groups: ControlGroups | null = null

  /** `runDir` tells this agent's control groups from another one's. */
  constructor(runDir: string, log: Log) {
    this.#runDir = runDir
    this.#log = log
  }

  get kind(): JailKind {
    return this.#kind
  }

  /** Finds out what this host allows; before the first start of a VM. */
  async open(): Promise<void> {
    const isRoot = process.getuid?.() === 0
    if (!(await canLaunch(!isRoot))) {
      this.#log.warn('no namespaces here: monitors are confined by system call filter and Landlock only')
      return
    }
    // Root of a user namespace (a container) has no users to give away.
    this.#kind = isRoot && hasAllUsers() ? 'root' : 'user'
    if (isRoot) this.#groups = await ControlGroups.open(this.#runDir, this.#log)
  }

  /** The user of a VM's monitor: its own as long as it exists. `recorded` is what it had before. */
  uid(vmUid: string, recorded?: number): number {
    const known = this.#uids.get(vmUid) ?? recorded
    const taken = new Set([...this.#uids].filter(([other]) => other !== vmUid).map(([, uid]) => uid))
    let uid = known ?? firstUid + (hashOf(vmUid) % uidCount)
    while (taken.has(uid)) uid = firstUid + ((uid - firstUid + 1) % uidCount)
    this.#uids.set(vmUid, uid)
    return uid
  }

  async prepare(vm: MonitorSize & { vmUid: string }): Promise<PreparedJail> {
    if (this.#kind === 'process') {
      return {
        launcher: [],
        option: { kind: 'process' },
        environment: launcherEnvironment,
        extraFds: [],
        release: async () => undefined,
      }
    }
    const isRoot = process.getuid?.() === 0
    const controlGroup = (await this.#groups?.prepare(vm.vmUid, vm)) ?? undefined
    // TAP devices are the host's: the monitor opens them there before its own network, which has none, is all it sees.
    const network: FileHandle | null = isRoot ? await open('/proc/self/ns/net', 'r') : null
    return {
      launcher: launcherCommand(!isRoot),
      option: {
        kind: 'namespaces',
        uid: this.#kind === 'root' ? this.uid(vm.vmUid) : undefined,
        hostNetwork: network === null ? undefined : firstExtraFd,
        controlGroup,
      },
      environment: launcherEnvironment,
      extraFds: network === null ? [] : [network.fd],
      release: async () => network?.close(),
    }
  }

  /** A VM's monitor has ended. */
  async ended(vmUid: string): Promise<void> {
    await this.#groups?.remove(vmUid)
  }

  /** The VM is no more. */
  forget(vmUid: string): void {
    this.#uids.delete(vmUid)
  }

  async close(): Promise<void> {
    await this.#groups?.close()
  }
}

/** A range that neither distributions nor systemd give to anybody (systemd's "Users, Groups, UIDs and GIDs"). */
const firstUid = 0x7000_0000
const uidCount = 0x0800_0000

/** Whether a number is one of those `Jails.uid` gives. */
export const isMonitorUid = (uid: number): boolean => uid >= firstUid && uid < firstUid + uidCount

const hashOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE()

function hasAllUsers(): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'))
}

/** Whether the launcher works here: containers and hardened kernels forbid some of its namespaces. */
async function canLaunch(user: boolean): Promise<boolean> {
  const [command, ...args] = launcherCommand(user)
  return new Promise((resolve) => {
    const child = spawn(command!, [...args, 'true'], { stdio: 'ignore' })
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}
