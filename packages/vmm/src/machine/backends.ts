/**
 * Opens what the VM's devices stand on, before anything runs, so that a missing disk or network is one clear
 * line and exit code 2. The descriptors belong to the process and outlive a reset.
 */
import { statSync } from 'node:fs'
import type { DiskOption, NetOption } from '../cli/run-options.ts'
import { DiskChanges } from '../disk/changes.ts'
import { openQcow2Chain, readQcow2Start } from '../disk/qcow2/chain.ts'
import { DiskError, RawFile } from '../disk/raw-file.ts'
import { DIRECT_ALIGNMENT } from '../disk/ring.ts'
import type { DiskHandle, NetHandle } from '../io/worker-protocol.ts'
import { connectPasst } from '../net/connect.ts'
import { NetError } from '../net/net-error.ts'
import { mtuOf, openTapQueues } from '../net/tap.ts'
import { hostRefused } from '../sys/exit-error.ts'
import { close, errno, O, open, preadAt } from '../sys/libc.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'

const ERRNO = { EPERM: 1, ENOENT: 2, EACCES: 13, EISDIR: 21, EROFS: 30 } as const

/**
 * What a monitor that was killed had under way in an io_uring ends some time after it, and with it its locks: whoever
 * starts the VM again at once finds its disks in use.
 */
const PATIENCE_MS = 2000

/** Opens and locks a disk: exclusively for writing, shared for reading. The lock goes with the process. */
export function openDisk(disk: DiskOption, option: 'disk' | 'cdrom' = 'disk'): DiskHandle {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      const files = disk.format === 'qcow2' ? openQcow2Chain(disk.path, disk.readOnly) : openRaw(disk, option)
      return {
        ...disk,
        ...files,
        writeThrough: disk.cache === 'writethrough',
        directFd: disk.cache === 'none' ? openDirect(disk) : undefined,
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (!error.inUse || performance.now() > deadline) throw hostRefused(`--${option}: ${error.message}`)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}

function openRaw(disk: DiskOption, option: string): Pick<DiskHandle, 'fd' | 'sizeBytes' | 'changes'> {
  if (isFifo(disk.path))
    throw hostRefused(`--${option} ${disk.path}: this is a FIFO; give a raw disk image or a block device`)
  const fd = open(disk.path, (disk.readOnly ? O.RDONLY : O.RDWR) | O.CLOEXEC, 0)
  if (fd < 0) throw hostRefused(`--${option} ${disk.path}: ${openReason(errno(), disk)}`)
  try {
    const { sizeBytes } = new RawFile(fd, { readOnly: disk.readOnly, name: disk.path, borrowed: true })
    return disk.readOnly ? { fd } : { fd, sizeBytes, changes: DiskChanges.allocate(sizeBytes) }
  } catch (error) {
    close(fd)
    throw error
  }
}

/** Its opening would wait for somebody who writes to it; and an io_uring takes O_NONBLOCK for a wish not to wait. */
function isFifo(path: string): boolean {
  try {
    return statSync(path).isFIFO()
  } catch {
    // Opening it says what is wrong.
    return false
  }
}

/** A second descriptor of a disk that is open and locked. */
function openDirect({ path, readOnly }: DiskOption): number {
  const fd = open(path, (readOnly ? O.RDONLY : O.RDWR) | O.CLOEXEC | O.DIRECT, 0)
  const sector = new NativeBuffer(DIRECT_ALIGNMENT)
  const readable = fd >= 0 && preadAt(fd, sector.address, DIRECT_ALIGNMENT, DIRECT_ALIGNMENT) >= 0
  sector.free()
  if (readable) return fd
  if (fd >= 0) close(fd)
  throw hostRefused(
    `--disk ${path}: cache=none needs a file system with O_DIRECT, on a device with sectors of ${DIRECT_ALIGNMENT} bytes`,
  )
}

/** The first `bytes` bytes of a disk (fewer where it has no more), as the guest will see them. */
export function readDiskHead(disk: DiskHandle, bytes: number): Uint8Array {
  const buffer = new NativeBuffer(bytes)
  try {
    const count =
      disk.format === 'qcow2'
        ? readQcow2Start({ ...disk, baseFds: disk.baseFds ?? [] }, buffer)
        : preadAt(disk.fd, buffer.address, bytes, 0)
    return buffer.bytes.slice(0, Math.max(0, count))
  } finally {
    buffer.free()
  }
}

function openReason(code: number, disk: DiskOption): string {
  switch (code) {
    case ERRNO.ENOENT:
      return 'the disk is missing; look whether the file was moved or its volume is not mounted'
    case ERRNO.EACCES:
    case ERRNO.EPERM:
      return `no permission to ${disk.readOnly ? 'read' : 'write'} it; give it to this user, or add ,ro to read it only`
    case ERRNO.EISDIR:
      return 'this is a folder; give a raw disk image or a block device'
    case ERRNO.EROFS:
      return 'it lies on a read-only file system; add ,ro to the option'
    default:
      return `it does not open (errno ${code})`
  }
}

/** `queues` is the most that are opened of an interface that has several. */
export function openNet(net: NetOption, queues: number): NetHandle {
  try {
    const [fd, ...moreFds] =
      net.kind === 'tap' ? openTapQueues(net.target, queues) : [connectPasst(net.target)]
    const { kind, target } = net
    const mtu = kind === 'tap' ? mtuOf(target) : undefined
    return { kind, target, mac: macOctets(net.mac ?? derivedMac(target)), mtu, fd: fd!, moreFds }
  } catch (error) {
    throw error instanceof NetError ? hostRefused(`--net ${net.kind}:${net.target}: ${error.message}`) : error
  }
}

const macOctets = (mac: string): number[] => mac.split(':').map((octet) => Number.parseInt(octet, 16))

/** Locally administered, the same for the same target at every start (FNV-1a). */
export function derivedMac(target: string): string {
  let hash = 0x811c_9dc5
  for (const byte of new TextEncoder().encode(target)) hash = Math.imul(hash ^ byte, 0x0100_0193) >>> 0
  const octets = [0x02, 0x48, hash >>> 24, (hash >>> 16) & 0xff, (hash >>> 8) & 0xff, hash & 0xff]
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':')
}
