/**
 * The few libc functions the monitor needs, bound once with fixed prototypes (a variadic prototype costs twice
 * as much per call). Raw addresses travel as JS numbers: user space ends below 2^47.
 *
 * Every wrapper returns the C result; a negative one means failure and `errno()` tells why. `check` turns it
 * into a SystemError for paths that are not hot.
 */
import koffi from 'koffi'

const libc = koffi.load(null)

export const open: (path: string, flags: number, mode: number) => number = libc.func(
  'int open(const char *path, int flags, int mode)',
)
export const close: (fd: number) => number = libc.func('int close(int fd)')
export const dup2: (from: number, to: number) => number = libc.func('int dup2(int from, int to)')
/** `buffer` is an address. */
export const readAt: (fd: number, address: number, length: number) => number = libc.func(
  'intptr_t read(int fd, intptr_t buf, size_t n)',
)
export const writeAt: (fd: number, address: number, length: number) => number = libc.func(
  'intptr_t write(int fd, intptr_t buf, size_t n)',
)
export const read: (fd: number, buffer: ArrayBufferView, length: number) => number = libc.func(
  'intptr_t read(int fd, void *buf, size_t n)',
)
export const write: (fd: number, buffer: ArrayBufferView, length: number) => number = libc.func(
  'intptr_t write(int fd, void *buf, size_t n)',
)
export const preadAt: (fd: number, address: number, length: number, offset: number) => number = libc.func(
  'intptr_t pread(int fd, intptr_t buf, size_t n, int64_t off)',
)
export const pwriteAt: (fd: number, address: number, length: number, offset: number) => number = libc.func(
  'intptr_t pwrite(int fd, intptr_t buf, size_t n, int64_t off)',
)
/** `iov` is an array of struct iovec {u64 base, u64 length}. */
export const preadv: (fd: number, iov: ArrayBufferView, count: number, offset: number) => number = libc.func(
  'intptr_t preadv(int fd, void *iov, int n, int64_t off)',
)
export const pwritev: (fd: number, iov: ArrayBufferView, count: number, offset: number) => number = libc.func(
  'intptr_t pwritev(int fd, void *iov, int n, int64_t off)',
)
export const readv: (fd: number, iov: ArrayBufferView, count: number) => number = libc.func(
  'intptr_t readv(int fd, void *iov, int n)',
)
export const writev: (fd: number, iov: ArrayBufferView, count: number) => number = libc.func(
  'intptr_t writev(int fd, void *iov, int n)',
)
export const fdatasync: (fd: number) => number = libc.func('int fdatasync(int fd)')
export const lseek: (fd: number, offset: number, whence: number) => number = libc.func(
  'int64_t lseek(int fd, int64_t off, int whence)',
)
/** ioctl whose argument is a buffer we own. */
export const ioctl: (fd: number, request: number, argument: ArrayBufferView | null) => number = libc.func(
  'int ioctl(int fd, unsigned long request, void *arg)',
)
/** ioctl whose argument is an integer or an address. */
export const ioctlInt: (fd: number, request: number, argument: number) => number = libc.func(
  'int ioctl(int fd, unsigned long request, intptr_t arg)',
)
/** Returns the address, or -1. */
export const mmap: (
  address: number,
  length: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
) => number = libc.func('intptr_t mmap(intptr_t addr, size_t len, int prot, int flags, int fd, int64_t off)')
export const munmap: (address: number, length: number) => number = libc.func(
  'int munmap(intptr_t addr, size_t len)',
)
/** `advice` is one of MADV. */
export const madvise: (address: number, length: number, advice: number) => number = libc.func(
  'int madvise(intptr_t addr, size_t len, int advice)',
)
export const memfdCreate: (name: string, flags: number) => number = libc.func(
  'int memfd_create(const char *name, unsigned int flags)',
)
export const ftruncate: (fd: number, length: number) => number = libc.func(
  'int ftruncate(int fd, int64_t len)',
)
export const fallocate: (fd: number, mode: number, offset: number, length: number) => number = libc.func(
  'int fallocate(int fd, int mode, int64_t off, int64_t len)',
)
export const eventfdCreate: (initial: number, flags: number) => number = libc.func(
  'int eventfd(unsigned int initval, int flags)',
)
export const epollCreate: (flags: number) => number = libc.func('int epoll_create1(int flags)')
export const epollCtl: (epfd: number, op: number, fd: number, event: ArrayBufferView | null) => number =
  libc.func('int epoll_ctl(int epfd, int op, int fd, void *event)')
export const epollWait: (epfd: number, events: ArrayBufferView, max: number, timeoutMs: number) => number =
  libc.func('int epoll_wait(int epfd, void *events, int max, int timeout)')
/** getrandom(2). */
export const getrandom: (buffer: ArrayBufferView, length: number, flags: number) => number = libc.func(
  'intptr_t getrandom(void *buf, size_t length, unsigned int flags)',
)
/** mallopt(3): nonzero when it worked. */
export const mallopt: (parameter: number, value: number) => number = libc.func(
  'int mallopt(int param, int value)',
)
export const prctl: (option: number, a: number, b: number, c: number, d: number) => number = libc.func(
  'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
)
/** sched_setscheduler(2); `parameters` is struct sched_param {int priority}. A `pid` of 0 is the calling thread. */
export const schedSetscheduler: (pid: number, policy: number, parameters: ArrayBufferView) => number =
  libc.func('int sched_setscheduler(int pid, int policy, void *param)')
export const schedGetscheduler: (pid: number) => number = libc.func('int sched_getscheduler(int pid)')
/** <sched.h> */
export const SCHED = { OTHER: 0, BATCH: 3 } as const
/** malloc_trim(3): gives free pages of all arenas back to the kernel. */
export const mallocTrim: (pad: number) => number = libc.func('int malloc_trim(size_t pad)')
/** Of the whole process; unlike process.umask, a worker may call it too. */
export const umask: (mask: number) => number = libc.func('unsigned int umask(unsigned int mask)')
export const gettid: () => number = libc.func('int gettid()')
export const tgkill: (pid: number, tid: number, signal: number) => number = libc.func(
  'int tgkill(int tgid, int tid, int sig)',
)

const fcntl: (fd: number, command: number, argument: number) => number = libc.func(
  'int fcntl(int fd, int cmd, intptr_t arg)',
)
const F_SETFL = 4
/** Of the flags of open(2) those that may change later, above all O_NONBLOCK: those in `flags` are set, the others not. */
export const setStatusFlags = (fd: number, flags: number): number => fcntl(fd, F_SETFL, flags)

/** LOCK_SH 1, LOCK_EX 2, LOCK_NB 4. */
export const flock: (fd: number, operation: number) => number = libc.func('int flock(int fd, int operation)')
/** `timespec` is struct timespec {s64 seconds, s64 nanoseconds}. */
export const clockGettime: (clock: number, timespec: ArrayBufferView) => number = libc.func(
  'int clock_gettime(int clock, void *ts)',
)
export const sigaction: (signal: number, action: ArrayBufferView, old: null) => number = libc.func(
  'int sigaction(int sig, void *act, void *old)',
)

/** Ends the process at once, without waiting for any thread or running any handler: `_exit(2)`. */
export const exitNow: (code: number) => void = libc.func('void _exit(int status)')

/** The address of a libc function, for use as a native signal handler. */
export const symbolAddress = (name: string): number => Number(koffi.address(libc.symbol(name)))

export const socket: (domain: number, type: number, protocol: number) => number = libc.func(
  'int socket(int domain, int type, int protocol)',
)
export const connect: (fd: number, address: ArrayBufferView, length: number) => number = libc.func(
  'int connect(int fd, void *addr, unsigned int len)',
)
export const bind: (fd: number, address: ArrayBufferView, length: number) => number = libc.func(
  'int bind(int fd, void *addr, unsigned int len)',
)
export const listen: (fd: number, backlog: number) => number = libc.func('int listen(int fd, int backlog)')
export const accept4: (fd: number, address: null, length: null, flags: number) => number = libc.func(
  'int accept4(int fd, void *addr, void *len, int flags)',
)
/** `pair` receives the two fds. */
export const socketpair: (domain: number, type: number, protocol: number, pair: Int32Array) => number =
  libc.func('int socketpair(int domain, int type, int protocol, void *pair)')
/** `how` 0: no more reading, 1: no more writing. */
export const shutdown: (fd: number, how: number) => number = libc.func('int shutdown(int fd, int how)')
/** `entries` is an array of struct pollfd {int fd; short events; short revents}. */
export const poll: (entries: ArrayBufferView, count: number, timeoutMs: number) => number = libc.func(
  'int poll(void *fds, unsigned long n, int timeout)',
)
const SYS_IO_URING_SETUP = 425
const SYS_IO_URING_ENTER = 426
const SYS_IO_URING_REGISTER = 427
const setUpIoUring = libc.func('intptr_t syscall(intptr_t n, unsigned int entries, void *params)')
const enterIoUring = libc.func(
  'intptr_t syscall(intptr_t n, intptr_t fd, unsigned int submit, unsigned int wait, unsigned int flags, intptr_t argument, size_t size)',
)
const registerIoUring = libc.func(
  'intptr_t syscall(intptr_t n, intptr_t fd, unsigned int op, void *argument, unsigned int count)',
)
/** Returns the ring's fd; fills `params`, a struct io_uring_params. */
export const ioUringSetup = (entries: number, params: ArrayBufferView): number =>
  setUpIoUring(SYS_IO_URING_SETUP, entries, params)
/** Submits `submit` entries and waits for `wait` completions; returns how many entries were taken. */
export const ioUringEnter = (fd: number, submit: number, wait: number, flags: number): number =>
  enterIoUring(SYS_IO_URING_ENTER, fd, submit, wait, flags, 0, 0)
export const ioUringRegister = (
  fd: number,
  operation: number,
  argument: ArrayBufferView | null,
  count: number,
): number => registerIoUring(SYS_IO_URING_REGISTER, fd, operation, argument, count)
/** Copies between addresses that do not overlap; the caller has checked both. */
export const memcpy: (to: number, from: number, length: number) => number = libc.func(
  'intptr_t memcpy(intptr_t to, intptr_t from, size_t n)',
)
/** The index of a network interface in this namespace, or 0 when there is none of that name. */
export const ifNameToIndex: (name: string) => number = libc.func(
  'unsigned int if_nametoindex(const char *name)',
)

export const errno = (): number => koffi.errno()

/** The zero-copy ArrayBuffer over `length` bytes at `address`; valid until they are unmapped. At most 4 GiB. */
export function viewOf(address: number, length: number): ArrayBuffer {
  return koffi.view(BigInt(address), length) as ArrayBuffer
}

export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  CLOEXEC: 0o2000000,
  DIRECT: 0o40000,
} as const
export const PROT = { READ: 1, WRITE: 2 } as const
export const MAP = {
  SHARED: 1,
  PRIVATE: 2,
  FIXED: 16,
  ANONYMOUS: 32,
  NORESERVE: 0x4000,
  POPULATE: 0x8000,
} as const
/** madvise(2): page tables and pages for writing, at once; Linux 5.14. */
export const MADV = { REMOVE: 9, POPULATE_WRITE: 23 } as const
/** flock(2). */
export const LOCK = { SH: 1, EX: 2, NB: 4, UN: 8 } as const
export const EPOLL = { CTL_ADD: 1, CTL_DEL: 2, CTL_MOD: 3, IN: 1, OUT: 4, ERR: 8, HUP: 16 } as const
export const EFD = { CLOEXEC: 0o2000000, NONBLOCK: 0o4000 } as const

/** A failed system call, with the call, the errno and its name. */
export class SystemError extends Error {
  readonly errno: number
  readonly call: string
  constructor(call: string, code: number) {
    super(`${call}: ${koffiErrnoName(code)} (errno ${code})`)
    this.name = 'SystemError'
    this.call = call
    this.errno = code
  }
}

function koffiErrnoName(code: number): string {
  for (const [name, value] of Object.entries(koffi.os.errno)) if (value === code) return name
  return 'unknown error'
}

/** Returns `result` when it is not negative, else throws the SystemError of `call`. Call it at once: errno is volatile. */
export function check(call: string, result: number): number {
  if (result < 0) throw new SystemError(call, errno())
  return result
}
