/**
 * Opens what the VM's devices stand on, before anything runs, so that a missing disk or network is one clear
 * line and exit code 2. The descriptors belong to the process and outlive a reset.
 */
import type { DiskOption, NetOption } from '../cli/options.ts'
import type { DiskHandle, NetHandle } from '../io/worker-protocol.ts'
import { hostRefused } from '../sys/exit-error.ts'
import { errno, flock, O, open } from '../sys/libc.ts'

const ENOENT = 2
const EACCES = 13
const EPERM = 1
const EROFS = 30
const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4

/** Opens and locks a disk: exclusively for writing, shared for reading. */
export function openDisk(disk: DiskOption): DiskHandle {
  const fd = open(disk.path, (disk.readOnly ? O.RDONLY : O.RDWR) | O.CLOEXEC, 0)
  if (fd < 0) throw hostRefused(`--disk ${disk.path}: ${openReason(errno(), disk)}`)
  // The lock goes with the last descriptor, also when the process is killed.
  if (flock(fd, (disk.readOnly ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
    throw hostRefused(`--disk ${disk.path}: another VM or program uses this disk; stop that one first`)
  }
  return { ...disk, fd }
}

function openReason(code: number, disk: DiskOption): string {
  if (code === ENOENT) return 'the disk is missing'
  if (code === EACCES || code === EPERM) return `no permission to ${disk.readOnly ? 'read' : 'write'} it`
  if (code === EROFS) return 'it lies on a read-only file system: add ,ro to the option'
  return `it does not open (errno ${code})`
}

export function openNet(net: NetOption): NetHandle {
  throw hostRefused(`--net ${net.kind}:${net.target}: networks are not there yet`)
}
