/** The system calls the jail is made of, which nothing else in the monitor uses. Results as in sys/libc.ts. */
import koffi from 'koffi'

const libc = koffi.load(null)

export const mount: (
  source: string,
  target: string,
  type: string | null,
  flags: number,
  data: string | null,
) => number = libc.func(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
)
export const umount2: (target: string, flags: number) => number = libc.func(
  'int umount2(const char *target, int flags)',
)
export const setns: (fd: number, kind: number) => number = libc.func('int setns(int fd, int kind)')
/** These three are done by every thread of the process: glibc sees to it (nptl(7)). */
export const setgroups: (count: number, groups: null) => number = libc.func(
  'int setgroups(size_t count, void *groups)',
)
export const setresgid: (real: number, effective: number, saved: number) => number = libc.func(
  'int setresgid(unsigned int real, unsigned int effective, unsigned int saved)',
)
export const setresuid: (real: number, effective: number, saved: number) => number = libc.func(
  'int setresuid(unsigned int real, unsigned int effective, unsigned int saved)',
)
/** `limit` is struct rlimit {u64 soft, u64 hard}. */
export const setrlimit: (resource: number, limit: BigUint64Array) => number = libc.func(
  'int setrlimit(int resource, void *limit)',
)

const words = libc.func(
  'intptr_t syscall(intptr_t n, intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e)',
)
const capsetCall = libc.func('intptr_t syscall(intptr_t n, void *header, void *data)')
const rulesetCall = libc.func('intptr_t syscall(intptr_t n, void *attribute, size_t size, intptr_t flags)')
const paths = libc.func('intptr_t syscall(intptr_t n, const char *a, const char *b)')
const seccompCall = libc.func(
  'intptr_t syscall(intptr_t n, intptr_t operation, intptr_t flags, void *program)',
)
const ruleCall = libc.func(
  'intptr_t syscall(intptr_t n, intptr_t ruleset, intptr_t kind, void *rule, intptr_t flags)',
)

/** A system call with up to five integer arguments. */
export const systemCall = (number: number, a = 0, b = 0, c = 0, d = 0, e = 0): number =>
  words(number, a, b, c, d, e)

export const pivotRoot = (newRoot: string, oldRoot: string): number => paths(155, newRoot, oldRoot)
/** `header` and `data` as in capset(2). Of the calling thread only. */
export const capset = (header: ArrayBufferView, data: ArrayBufferView): number =>
  capsetCall(126, header, data)
export const seccomp = (operation: number, flags: number, program: ArrayBufferView): number =>
  seccompCall(317, operation, flags, program)
export const landlockCreateRuleset = (attribute: ArrayBufferView, size: number): number =>
  rulesetCall(444, attribute, size, 0)
export const landlockAddRule = (ruleset: number, kind: number, rule: ArrayBufferView): number =>
  ruleCall(445, ruleset, kind, rule, 0)
export const landlockRestrictSelf = (ruleset: number): number => systemCall(446, ruleset, 0)
/**
 * Restricts a thread of libuv's pool, which starts if it has not yet; without a rule set that is all. Resolves
 * with the call's result.
 */
export function restrictPool(ruleset: number | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, result: number): void => (error ? reject(error) : resolve(result))
    const number = ruleset === undefined ? 39 : 446
    words.async(number, ruleset ?? 0, 0, 0, 0, 0, done)
  })
}
/** The highest Landlock ABI the kernel has; 0 or less where it has none. */
export const landlockVersion = (): number => systemCall(444, 0, 0, 1)
