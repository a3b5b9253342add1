import { SystemError } from '../sys/libc.ts'
import type { DiskBackend } from './backend.ts'
import { RawDisk } from './raw.ts'
import type { RawFile } from './raw-file.ts'
import { UringDisk } from './uring.ts'

/** The best backend this host has for a raw disk: io_uring, or blocking calls where that is missing or forbidden. */
export function rawDiskBackend(file: RawFile): DiskBackend {
  try {
    return new UringDisk(file)
  } catch (error) {
    if (error instanceof SystemError) return new RawDisk(file)
    throw error
  }
}
