/** The namespaces a launcher made for this process: that they are its own, an empty root, and a look out of one. */
import { readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostRefused, usageError } from '../sys/exit-error.ts'
import { check, close, O, open } from '../sys/libc.ts'
import { mount, pivotRoot, setns, umount2 } from './system.ts'

/** <linux/mount.h> */
const MS = { RDONLY: 1, NOSUID: 2, NODEV: 4, NOEXEC: 8 } as const
const MNT_DETACH = 2
const CLONE_NEWNET = 0x4000_0000

/**
 * Refuses to go on unless a launcher put this process into namespaces of its own: emptying the root of anybody
 * else's would take the whole machine's away. First in its own pid namespace, seen from outside under another number.
 */
export function requireOwnNamespaces(): void {
  const outside = hostPid()
  const sameMounts = namespaceOf('self') === namespaceOf('1')
  if (process.pid !== 1 || outside === 1 || sameMounts) {
    throw usageError('--jail is for a process that was started in namespaces of its own; see docs/jail.md')
  }
}

/** This process's id where /proc was mounted, which is the host's as long as the root is. */
export function hostPid(): number {
  return Number(readlinkSync('/proc/self'))
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    // Without rights over that process its namespaces cannot be read, and its mounts not be changed.
    return undefined
  }
}

/** Runs `work` on this thread in the network namespace behind `fd`, and comes back. */
export function inNetworkOf<T>(fd: number, work: () => T): T {
  const own = check('open', open('/proc/thread-self/ns/net', O.RDONLY | O.CLOEXEC, 0))
  check('setns', setns(fd, CLONE_NEWNET))
  try {
    return work()
  } finally {
    check('setns', setns(own, CLONE_NEWNET))
    close(own)
  }
}

/** Moves the process into a control group that exists, with all it will start. */
export function joinControlGroup(folder: string): void {
  try {
    writeFileSync(join(folder, 'cgroup.procs'), '0')
  } catch (error) {
    throw hostRefused(`--jail: the control group ${folder} cannot be joined (${(error as Error).message})`)
  }
}

/**
 * Makes an empty, read-only folder the root of every thread and lets the old root go. Afterwards there is no file
 * that has a name; what was opened before stays open.
 */
export function emptyRoot(): void {
  const flags = MS.RDONLY | MS.NOSUID | MS.NODEV | MS.NOEXEC
  // Any folder will do: it is covered in this mount namespace only, and gone a moment later. This one always exists.
  check('mount', mount('jail', '/proc', 'tmpfs', flags, 'mode=0555,nr_inodes=2,nr_blocks=1'))
  process.chdir('/proc')
  // The old root comes to lie on top of the new one, from where it is taken away (pivot_root(2)).
  check('pivot_root', pivotRoot('.', '.'))
  check('umount2', umount2('.', MNT_DETACH))
  process.chdir('/')
}
