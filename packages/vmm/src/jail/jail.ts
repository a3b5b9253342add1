/**
 * A monitor's way into its jail. The order is the whole point: everything is opened and every thread has loaded its
 * code while files still have names, then they lose them, then the process its rights, and last the system calls
 * that could bring any of it back.
 */
import { dirname } from 'node:path'
import { hostRefused, usageError } from '../sys/exit-error.ts'
import { check, close, SystemError } from '../sys/libc.ts'
import { createFolderRuleset, createRuleset } from './landlock.ts'
import { emptyRoot, hostPid, inNetworkOf, joinControlGroup, requireOwnNamespaces } from './namespaces.ts'
import type { JailOption } from './option.ts'
import { becomeUser, endWithParent, forbidNewPrivileges, hideMemory } from './privileges.ts'
import { installFilter } from './seccomp.ts'
import { seccompProgram } from './seccomp-program.ts'
import { restrictPool } from './system.ts'
import { systemCallRules } from './system-calls.ts'
import { enterThreadJail, type ThreadJail } from './thread.ts'

export interface JailSurroundings {
  /** Sockets it makes, and removes at its end where that is possible. */
  readonly sockets: readonly string[]
  /** The console is a terminal. */
  readonly terminal: boolean
  /** What its threads for shared folders do with them. */
  readonly folders: 'none' | 'read' | 'write'
}

export class Jail {
  /** For every worker, which calls `enterThreadJail` with it. Undefined without a jail. */
  readonly thread: ThreadJail | undefined
  /** This process's id on the host; inside it is another one. */
  readonly hostPid: number
  private readonly option: JailOption
  private readonly surroundings: JailSurroundings

  /**
   * Before the first thread is started and the first file of the VM is opened. Throws ExitError when the process is
   * not where the option says it is.
   */
  constructor(option: JailOption, surroundings: JailSurroundings) {
    this.option = option
    this.surroundings = surroundings
    this.hostPid = process.pid
    if (option.kind === 'none') return
    if (option.kind === 'namespaces') {
      requireOwnNamespaces()
      if (process.env.UV_USE_IO_URING !== '0') {
        throw usageError('--jail needs UV_USE_IO_URING=0 in the environment; see docs/jail.md')
      }
      this.hostPid = hostPid()
      if (option.controlGroup !== undefined) joinControlGroup(option.controlGroup)
    }
    // One thread for libuv's pool, which has not begun yet: then it can be reached for Landlock below.
    process.env.UV_THREADPOOL_SIZE = '1'
    forbidNewPrivileges()
    // With an empty root there will be no socket to remove; the agent does it.
    const removable = option.kind === 'process' ? surroundings.sockets.map((path) => dirname(path)) : []
    this.thread = {
      ruleset: createRuleset([...new Set(removable)]),
      dropCapabilities: option.kind !== 'namespaces' || option.uid === undefined,
    }
  }

  /** Runs `work` where the host's network devices are. */
  inHostNetwork<T>(work: () => T): T {
    const fd = this.option.kind === 'namespaces' ? this.option.hostNetwork : undefined
    return fd === undefined ? work() : inNetworkOf(fd, work)
  }

  /** Whether no file of the host will have a name. */
  get hasEmptyRoot(): boolean {
    return this.option.kind === 'namespaces'
  }

  /** The user it will be; undefined: the one it is. */
  get uid(): number | undefined {
    return this.option.kind === 'namespaces' ? this.option.uid : undefined
  }

  /** As `thread`, for the one thread that serves the folder behind `fd`. The rule set is the caller's to close. */
  threadWithFolder(fd: number, writable: boolean): ThreadJail | undefined {
    return this.thread && { ...this.thread, ruleset: createFolderRuleset(fd, writable) }
  }

  /**
   * Shuts the door, for ever. Every worker must have called `enterThreadJail`; afterwards nothing can be opened and
   * no thread be started. Throws ExitError when the kernel refuses a part of it: there is no half a jail.
   */
  async enter(): Promise<void> {
    const { option, thread } = this
    if (option.kind === 'none' || thread === undefined) return
    try {
      if (option.kind === 'namespaces') {
        emptyRoot()
        if (option.hostNetwork !== undefined) close(option.hostNetwork)
        if (option.uid !== undefined) becomeUser(option.uid, option.uid)
        endWithParent()
      }
      hideMemory()
      const { ruleset } = thread
      // The pool's only thread starts here at the latest: later it could not.
      check('landlock_restrict_self', await restrictPool(ruleset))
      enterThreadJail(thread)
      if (ruleset !== undefined) close(ruleset)
      installFilter(
        seccompProgram(
          systemCallRules({
            pid: process.pid,
            terminal: this.surroundings.terminal,
            folders: this.surroundings.folders,
            unlink: option.kind === 'process' && ruleset !== undefined,
          }),
        ),
      )
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      throw hostRefused(
        `this host's kernel refuses the jail (${error.message}); --no-jail runs without one, for development only`,
        error,
      )
    }
  }
}
