/** Giving up what a process may be and do: identity, capabilities, set-uid programs, core files. */
import { check, prctl } from '../sys/libc.ts'
import { capset, setgroups, setresgid, setresuid, setrlimit } from './system.ts'

/** <linux/prctl.h> */
const PR = { SET_PDEATHSIG: 1, SET_DUMPABLE: 4, SET_NO_NEW_PRIVS: 38, CAP_AMBIENT: 47 } as const
const PR_CAP_AMBIENT_CLEAR_ALL = 4
const SIGKILL = 9
const RLIMIT_CORE = 4
const LINUX_CAPABILITY_VERSION_3 = 0x2008_0522

/** For this thread and those it starts: no program it executes has more rights than it has. */
export function forbidNewPrivileges(): void {
  check('PR_SET_NO_NEW_PRIVS', prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0))
}

/** The whole process becomes this user and no other group's member, and with that loses all capabilities. */
export function becomeUser(uid: number, gid: number): void {
  check('setgroups', setgroups(0, null))
  check('setresgid', setresgid(gid, gid, gid))
  check('setresuid', setresuid(uid, uid, uid))
}

/** The calling thread's capabilities, those in a user namespace of its own too. */
export function dropCapabilities(): void {
  prctl(PR.CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
  check('capset', capset(new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]), new Uint32Array(6)))
}

/** No core file with the guest's memory in it, and no other process of the same user may look into this one. */
export function hideMemory(): void {
  check('setrlimit', setrlimit(RLIMIT_CORE, new BigUint64Array([0n, 0n])))
  check('PR_SET_DUMPABLE', prctl(PR.SET_DUMPABLE, 0, 0, 0, 0))
}

/** Ends with the process that started it. To be said after a change of identity, which forgets it. */
export function endWithParent(): void {
  check('PR_SET_PDEATHSIG', prctl(PR.SET_PDEATHSIG, SIGKILL, 0, 0, 0))
}
