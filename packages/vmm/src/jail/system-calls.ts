/**
 * What a running monitor may ask of the kernel. Everything else answers EPERM: opening or naming any file, making
 * sockets and connections, starting threads and programs, looking at or signalling other processes, changing
 * namespaces, mounts and identities, making an io_uring.
 */
import * as kvm from '../kvm/api.ts'
import { TAP_IOCTLS } from '../net/tap.ts'
import type { SystemCallRule } from './seccomp-program.ts'

/** arch/x86/entry/syscalls/syscall_64.tbl */
export const NR = {
  read: 0,
  write: 1,
  close: 3,
  fstat: 5,
  poll: 7,
  lseek: 8,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  brk: 12,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  rt_sigreturn: 15,
  ioctl: 16,
  pread64: 17,
  pwrite64: 18,
  readv: 19,
  writev: 20,
  sched_yield: 24,
  mremap: 25,
  mincore: 27,
  madvise: 28,
  nanosleep: 35,
  getpid: 39,
  sendto: 44,
  recvfrom: 45,
  sendmsg: 46,
  recvmsg: 47,
  shutdown: 48,
  getsockname: 51,
  getpeername: 52,
  setsockopt: 54,
  getsockopt: 55,
  exit: 60,
  uname: 63,
  fcntl: 72,
  flock: 73,
  fsync: 74,
  fdatasync: 75,
  ftruncate: 77,
  unlink: 87,
  fchmod: 91,
  umask: 95,
  gettimeofday: 96,
  getrusage: 98,
  sysinfo: 99,
  times: 100,
  getuid: 102,
  getgid: 104,
  geteuid: 107,
  getegid: 108,
  getppid: 110,
  fstatfs: 138,
  sigaltstack: 131,
  // V8's mutexes ask for their thread's priority when they wait, and complain on standard error when refused.
  sched_getparam: 143,
  // A thread says of itself how it is scheduled while networks are busy (io/bulk-traffic.ts).
  sched_setscheduler: 144,
  sched_getscheduler: 145,
  gettid: 186,
  futex: 202,
  sched_getaffinity: 204,
  getdents64: 217,
  restart_syscall: 219,
  clock_gettime: 228,
  clock_getres: 229,
  clock_nanosleep: 230,
  exit_group: 231,
  epoll_wait: 232,
  epoll_ctl: 233,
  tgkill: 234,
  mkdirat: 258,
  newfstatat: 262,
  unlinkat: 263,
  linkat: 265,
  symlinkat: 266,
  readlinkat: 267,
  ppoll: 271,
  set_robust_list: 273,
  epoll_pwait: 281,
  utimensat: 280,
  fallocate: 285,
  accept4: 288,
  eventfd2: 290,
  epoll_create1: 291,
  pipe2: 293,
  preadv: 295,
  pwritev: 296,
  prlimit64: 302,
  getcpu: 309,
  renameat2: 316,
  getrandom: 318,
  membarrier: 324,
  preadv2: 327,
  pwritev2: 328,
  pkey_mprotect: 329,
  pkey_alloc: 330,
  pkey_free: 331,
  statx: 332,
  rseq: 334,
  io_uring_enter: 426,
  close_range: 436,
  openat2: 437,
  epoll_pwait2: 441,
} as const

/**
 * Only for a process that shares a folder. Which files they reach is not the filter's to say: Landlock lets only the
 * folder's own thread open or change anything, and nothing but that folder; in an empty root there is nothing else.
 */
const FOLDER_READ: readonly number[] = [NR.openat2, NR.readlinkat, NR.getdents64, NR.fstatfs]
const FOLDER_WRITE: readonly number[] = [
  ...[NR.mkdirat, NR.unlinkat, NR.linkat, NR.symlinkat, NR.renameat2, NR.fchmod, NR.utimensat],
]

/** <asm-generic/ioctls.h>: what libuv does to descriptors, and a terminal's settings. */
const FIOCLEX = 0x5451
const FIONBIO = 0x5421
const FIONREAD = 0x541b
const TERMINAL_IOCTLS = [0x5401, 0x5402, 0x5403, 0x5404, 0x5413]

/**
 * <linux/fcntl.h>: F_GETFD, F_SETFD, F_GETFL, F_SETFL, the locks of an open file. Not F_SETOWN, which sends
 * signals.
 */
const FCNTL_COMMANDS = [1, 2, 3, 4, 36, 37, 38]

/** The requests named in kvm/api.ts and no others: KVM_RUN comes first because it is most of all calls. */
const kvmRequests = (): number[] => {
  const requests = Object.entries(kvm)
    .filter(([name, value]) => name.startsWith('KVM_') && typeof value === 'number')
    .map(([, value]) => value as number)
    // KVMIO is the second byte of every request; other constants have none.
    .filter((value) => ((value >>> 8) & 0xff) === 0xae)
  return [kvm.KVM_RUN, ...requests.filter((request) => request !== kvm.KVM_RUN)]
}

export interface FilterOptions {
  /** This process's id as it sees itself: signals go nowhere else. */
  readonly pid: number
  /** The console is a terminal, whose settings change. */
  readonly terminal: boolean
  /** It may remove its own sockets; Landlock keeps it from removing anything else. */
  readonly unlink: boolean
  /** It shares folders of the host. */
  readonly folders: 'none' | 'read' | 'write'
}

export function systemCallRules({ pid, terminal, unlink, folders }: FilterOptions): SystemCallRule[] {
  const conditions: Record<number, SystemCallRule['argument']> = {
    [NR.ioctl]: {
      index: 1,
      values: [
        ...kvmRequests(),
        ...TAP_IOCTLS,
        ...[FIONBIO, FIOCLEX, FIONREAD],
        ...(terminal ? TERMINAL_IOCTLS : []),
      ],
    },
    [NR.fcntl]: { index: 1, values: FCNTL_COMMANDS },
    [NR.tgkill]: { index: 0, values: [pid] },
    // Of the calling thread; what would put it before others takes a capability.
    [NR.sched_setscheduler]: { index: 0, values: [0] },
    // Reading limits only: no new ones.
    [NR.prlimit64]: { index: 2, values: [0], wide: true },
  }
  const { ioctl, futex, read, write, epoll_wait, io_uring_enter, ...rest } = NR
  const ordered = [ioctl, futex, read, write, epoll_wait, io_uring_enter, ...Object.values(rest)]
  return ordered
    .filter((number) => number !== NR.unlink || unlink)
    .filter((number) => folders !== 'none' || !FOLDER_READ.includes(number))
    .filter((number) => folders === 'write' || !FOLDER_WRITE.includes(number))
    .map((number) => {
      const argument = conditions[number]
      return argument === undefined ? { number } : { number, argument }
    })
}
