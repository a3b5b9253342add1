/**
 * Allocates guest RAM: one memfd, mapped shared in windows, so that every thread (and a snapshot) sees the same
 * pages and untouched ones cost nothing.
 */
import { readFileSync } from 'node:fs'
import { hostRefused, usageError } from '../sys/exit-error.ts'
import {
  check,
  close,
  errno,
  fallocate,
  ftruncate,
  lseek,
  MADV,
  MAP,
  madvise,
  memfdCreate,
  mmap,
  munmap,
  PROT,
  SystemError,
} from '../sys/libc.ts'
import type { GuestRegion } from './guest-memory.ts'

export interface GuestRange {
  readonly guestAddress: number
  readonly size: number
}

const MFD_CLOEXEC = 1
const EINVAL = 22
const FALLOC_FL_KEEP_SIZE = 1
const FALLOC_FL_PUNCH_HOLE = 2
/** memfd_create(2): pages of 2 MiB from the host's pool. */
const MFD_HUGETLB = 4
const MFD_HUGE_2MB = 21 << 26
const HUGE_PAGE = 2 * 1024 * 1024
const MIB = 1024 * 1024

/** How a VM's memory is made of the host's. */
export interface RamOptions {
  /** From the host's pool of 2 MiB pages (vm.nr_hugepages), reserved at once: fewer TLB misses, no swapping. */
  readonly hugePages?: boolean | undefined
  /** All pages are taken at the start instead of when the guest touches them first. */
  readonly prefault?: boolean | undefined
}

/** Bytes of RAM counted without the holes between regions, as they lie in a snapshot's file. */
export interface RamExtent {
  readonly offset: number
  readonly length: number
}

export interface GuestRam {
  readonly regions: readonly GuestRegion[]
  readonly size: number
  /** Where something may have been written since the machine was new, in order; everything else reads zero. No vCPU or device may run. */
  extents(): Iterable<RamExtent>
  /** Every byte reads zero again and the host has its pages back. No vCPU or device may run. */
  clear(): void
  /** Unmaps everything; no view of it may be touched afterwards. */
  close(): void
}

const SEEK_DATA = 3
const SEEK_HOLE = 4

/** What of a file has pages (lseek(2), SEEK_DATA); ENXIO says that nothing follows. */
export function* fileExtents(fd: number, size: number): Generator<RamExtent> {
  for (let offset = lseek(fd, 0, SEEK_DATA); offset >= 0 && offset < size; ) {
    const end = Math.min(size, check('lseek', lseek(fd, offset, SEEK_HOLE)))
    yield { offset, length: end - offset }
    offset = lseek(fd, end, SEEK_DATA)
  }
}

/** Bytes the host could still give, by /proc/meminfo's own estimate; Infinity where it has none. */
export function availableMemory(meminfo = readFileSync('/proc/meminfo', 'latin1')): number {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)
  const swap = /^SwapFree:\s+(\d+) kB$/m.exec(meminfo)
  if (!available) return Number.POSITIVE_INFINITY
  return (Number(available[1]) + Number(swap?.[1] ?? 0)) * 1024
}

function checkedSize(ranges: readonly GuestRange[], available: number): number {
  const size = ranges.reduce((sum, range) => sum + range.size, 0)
  if (size > available) {
    throw hostRefused(
      `this host has ${Math.floor(available / MIB)} MiB of memory left, the VM asks for ${size / MIB} MiB: give it less with --memory or stop another VM`,
    )
  }
  return size
}

function checkedHugeSize(ranges: readonly GuestRange[]): number {
  const size = ranges.reduce((sum, range) => sum + range.size, 0)
  if (ranges.some((range) => range.size % HUGE_PAGE !== 0)) {
    throw usageError(`--huge-pages: ${size / MIB} MiB is not a whole number of pages of 2 MiB`)
  }
  const free = freeHugePages()
  if (size / HUGE_PAGE > free) {
    throw hostRefused(
      `this host has ${free} free huge pages of 2 MiB, the VM needs ${size / HUGE_PAGE}: reserve more with sysctl vm.nr_hugepages, or start it without --huge-pages`,
    )
  }
  return size
}

/** Of 2 MiB; 0 where the host has no pool of them. */
export function freeHugePages(): number {
  try {
    return Number(readFileSync('/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', 'latin1'))
  } catch {
    return 0
  }
}

/** A kernel before 5.14 does not know it: there the guest's first touch takes the page, as ever. */
function populate({ hostAddress, size }: GuestRegion): void {
  if (madvise(hostAddress, size, MADV.POPULATE_WRITE) < 0 && errno() !== EINVAL) {
    throw new SystemError('madvise', errno())
  }
}

/**
 * RAM whose first contents are those of a snapshot's file, read page by page when they are touched; what is
 * written stays in this process and the file as it is. `fd` has exactly the ranges' bytes and stays the caller's.
 */
export function restoreGuestRam(
  ranges: readonly GuestRange[],
  fd: number,
  available = availableMemory(),
): GuestRam {
  const size = checkedSize(ranges, available)
  const regions: GuestRegion[] = []
  /** After a reset the guest starts with memory of its own. Made now: a jailed process can make no file later. */
  const freshFd = check('memfd_create', memfdCreate('guest-ram', MFD_CLOEXEC))
  check('ftruncate', ftruncate(freshFd, size))
  let isFresh = false
  let offset = 0
  for (const range of ranges) {
    const flags = MAP.PRIVATE | MAP.NORESERVE
    const hostAddress = mmap(0, range.size, PROT.READ | PROT.WRITE, flags, fd, offset)
    regions.push({ ...range, hostAddress: check('mmap', hostAddress) })
    offset += range.size
  }
  return {
    regions,
    size,
    // Which pages differ from the file is not known here.
    extents: () => (isFresh ? fileExtents(freshFd, size) : [{ offset: 0, length: size }]),
    clear() {
      punch(freshFd, size)
      if (!isFresh) mapOver(regions, freshFd)
      isFresh = true
    },
    close() {
      for (const region of regions) munmap(region.hostAddress, region.size)
      close(freshFd)
    },
  }
}

/** Puts the file's memory in the place of what `regions` are mapped to: at the same addresses, because every thread has views of them. */
function mapOver(regions: readonly GuestRegion[], fd: number): void {
  let offset = 0
  for (const { hostAddress, size } of regions) {
    const flags = MAP.SHARED | MAP.NORESERVE | MAP.FIXED
    check('mmap', mmap(hostAddress, size, PROT.READ | PROT.WRITE, flags, fd, offset))
    offset += size
  }
}

/** Every byte reads zero again and takes no memory. */
function punch(fd: number, size: number): void {
  check('fallocate', fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size))
}

/**
 * Maps the ranges. Refuses (exit code 2) more memory than the host can give: pages are only taken when the
 * guest touches them, so without this check a VM would start and be killed later, in the middle of its work.
 */
export function allocateGuestRam(
  ranges: readonly GuestRange[],
  available = availableMemory(),
  { hugePages = false, prefault = false }: RamOptions = {},
): GuestRam {
  // Pages of the pool are not among those the host calls available.
  const size = hugePages ? checkedHugeSize(ranges) : checkedSize(ranges, available)
  const refused = (error: unknown): Error =>
    error instanceof SystemError
      ? hostRefused(
          `the host refuses ${size / MIB} MiB of memory (${error.message}): give the VM less with --memory`,
          error,
        )
      : (error as Error)
  const regions: GuestRegion[] = []
  const unmap = (): void => {
    for (const region of regions) munmap(region.hostAddress, region.size)
  }
  let fd = -1
  try {
    const huge = hugePages ? MFD_HUGETLB | MFD_HUGE_2MB : 0
    fd = check('memfd_create', memfdCreate('guest-ram', MFD_CLOEXEC | huge))
    check('ftruncate', ftruncate(fd, size))
    let offset = 0
    for (const range of ranges) {
      // Huge pages are reserved now: a pool that is empty later would kill the process in the middle of its work.
      const flags = MAP.SHARED | (hugePages ? 0 : MAP.NORESERVE)
      const hostAddress = mmap(0, range.size, PROT.READ | PROT.WRITE, flags, fd, offset)
      regions.push({ ...range, hostAddress: check('mmap', hostAddress) })
      offset += range.size
    }
    if (prefault) for (const region of regions) populate(region)
  } catch (error) {
    unmap()
    if (fd >= 0) close(fd)
    throw refused(error)
  }
  return {
    regions,
    size,
    // The pool's file system cannot tell where it has pages.
    extents: () => (hugePages ? [{ offset: 0, length: size }] : fileExtents(fd, size)),
    clear: () => punch(fd, size),
    close() {
      unmap()
      close(fd)
    },
  }
}
