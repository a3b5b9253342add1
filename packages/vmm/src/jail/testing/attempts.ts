/** What a process that was taken over might try, as raw system calls: nothing of Node stands between. */
import koffi from 'koffi'
import type { DiskRing } from '../../disk/uring-ring.ts'
import { errno } from '../../sys/libc.ts'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { systemCall } from '../system.ts'

const libc = koffi.load(null)
const startThread = libc.func(
  'int pthread_create(void *thread, void *attributes, intptr_t start, void *argument)',
)
const idle = Number(koffi.address(libc.symbol('getpid')))

/** A zero-terminated string's address; the memory is never given back. */
function text(value: string): number {
  const memory = new NativeBuffer(4096)
  memory.bytes.set(new TextEncoder().encode(value))
  return memory.address
}

const AT_FDCWD = -100
const X32 = 0x4000_0000

/** By name: the call and its arguments. Should one be allowed, it does no harm or fails for another reason. */
export function systemCallAttempts(neighbour: number): Record<string, readonly number[]> {
  const scratch = new NativeBuffer(4096).address
  const priority = new NativeBuffer(4)
  priority.bytes[0] = 1
  const [root, passwd, own, shell] = [text('/'), text('/etc/passwd'), text('new'), text('/bin/sh')]
  return {
    'open a file': [2, passwd, 0],
    'openat a file': [257, AT_FDCWD, passwd, 0],
    'openat2 a file': [437, AT_FDCWD, passwd, scratch, 24],
    'openat by the x32 number': [257 + X32, AT_FDCWD, passwd, 0],
    'open the root': [257, AT_FDCWD, root, 0o200000],
    'create a file': [257, AT_FDCWD, own, 0o102, 0o600],
    'make a folder': [83, own, 0o700],
    'remove a folder': [84, own],
    'rename a file': [82, passwd, own],
    'read a link': [89, own, scratch, 100],
    'access a file': [21, passwd, 0],
    'shorten a file by name': [76, passwd, 0],
    'link a file': [86, passwd, own],
    'link a file by symbol': [88, passwd, own],
    'change the mode of a file': [90, passwd, 0o666],
    'change the owner of a file': [92, passwd, 0, 0],
    'make a device': [133, own, 0o020666, 0x0101],
    'get a handle of a file': [303, AT_FDCWD, passwd, scratch, scratch, 0],
    'watch a file system': [300, 0, 0],
    'change the folder': [80, root],
    'change the root': [161, root],
    'list a folder': [217, 0, scratch, 4096],
    'open by handle': [304, AT_FDCWD, scratch, 0],
    'watch files': [253],
    'make anonymous files': [319, own, 0],
    'make an IP socket': [41, 2, 1, 0],
    'make a unix socket': [41, 1, 1, 0],
    'make a netlink socket': [41, 16, 3, 0],
    'make a socket pair': [53, 1, 1, 0, scratch],
    connect: [42, 0, scratch, 16],
    bind: [49, 0, scratch, 16],
    listen: [50, 0, 1],
    execve: [59, shell, 0, 0],
    execveat: [322, AT_FDCWD, shell, 0, 0, 0],
    fork: [57],
    vfork: [58],
    clone: [56, 0x10000, 0, 0, 0, 0],
    clone3: [435, scratch, 0],
    'ptrace its neighbour': [101, 16, neighbour, 0, 0],
    'read its neighbour': [310, neighbour, scratch, 1, scratch, 1],
    'write its neighbour': [311, neighbour, scratch, 1, scratch, 1],
    'signal its neighbour': [62, neighbour, 0],
    'signal its neighbour by thread': [234, neighbour, neighbour, 0],
    'signal its neighbour by descriptor': [424, 0, 0, 0, 0],
    'share memory with its neighbour': [29, 0, 4096, 0o1666],
    'write to its neighbour by a message queue': [240, own, 0o102, 0o600, 0],
    'queue a signal': [297, neighbour, neighbour, 1, scratch],
    'open its neighbour': [434, neighbour, 0],
    'compare with its neighbour': [312, neighbour, neighbour, 0, 0, 0],
    'take a descriptor': [438, 0, 0, 0],
    'own a descriptor, which sends signals': [72, 0, 8, neighbour],
    'copy a descriptor over another': [292, 0, 1, 0],
    'make a context for other asynchronous I/O': [206, 8, scratch],
    'make an io_uring': [425, 8, scratch],
    'register with an io_uring': [427, 0, 0, scratch, 1],
    mount: [165, root, root, 0, 0x1000, 0],
    umount: [166, root, 2],
    'pivot the root': [155, root, root],
    'open a mount': [428, AT_FDCWD, root, 0],
    'enter a namespace': [308, 0, 0],
    'make a namespace': [272, 0x1000_0000],
    'become root': [105, 0],
    'become root in all three ways': [117, 0, 0, 0],
    "become root's group": [106, 0],
    'change groups': [116, 0, 0],
    'take capabilities': [126, scratch, scratch],
    'change what a process may do': [157, 4, 1, 0, 0, 0],
    'raise a limit': [160, 7, scratch],
    'raise a limit by the other call': [302, 0, 7, scratch, 0],
    'filter system calls anew': [317, 1, 0, scratch],
    'use keys': [250, 0, 0, 0, 0],
    'add a key': [248, scratch, scratch, 0, 0, 0],
    'use bpf': [321, 0, scratch, 0],
    'watch performance': [298, scratch, 0, -1, -1, 0],
    'catch page faults': [323, 0],
    'load a module': [175, scratch, 0, scratch],
    'load a module from a descriptor': [313, 0, scratch, 0],
    'use I/O ports': [172, 3],
    'boot another kernel': [246, 0, 0, 0, 0],
    'swap to a file': [167, own, 0],
    'set the clock': [227, 0, scratch],
    'set the host name': [170, scratch, 1],
    reboot: [169, 0, 0, 0, 0],
    'read the kernel log': [103, 3, scratch, 10],
    'change priorities': [141, 0, 0, -5],
    'go before all others': [144, 0, 1, priority.address],
    'schedule its neighbour': [144, neighbour, 3, scratch],
    'push input into a terminal': [16, 0, 0x5412, scratch],
    'attach to a network interface': [16, 0, 0x4004_54ca, scratch],
    'make a KVM device the monitor has no use for': [16, 0, 0xc00c_aee0, scratch],
  }
}

/** The errno of each attempt, 0 where it worked. */
export function attemptAll(neighbour: number): Record<string, number> {
  const results: Record<string, number> = {}
  for (const [name, [number, ...args]] of Object.entries(systemCallAttempts(neighbour))) {
    results[name] = systemCall(number!, ...(args as [])) < 0 ? errno() : 0
  }
  const thread = new BigUint64Array(1)
  results['start a thread'] = startThread(thread, null, idle, null)
  return results
}

const OPERATIONS = {
  read: 22,
  openat: 18,
  socket: 45,
  connect: 16,
  unlinkat: 36,
  close: 19,
  sendmsg: 9,
} as const

/** What a restricted ring answers to operations no disk needs, and to one on a file that is not its own: errnos. */
export function attemptRing(ring: DiskRing): Record<string, number> {
  const results: Record<string, number> = {}
  const path = text('/etc/passwd')
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    ring.push(operation, false, 0, path, 0, 0, 1)
    ring.submit()
    ring.wait()
    ring.take()
    results[`${name} by io_uring`] = -ring.result
  }
  return results
}
