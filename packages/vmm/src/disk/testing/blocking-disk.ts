/** A raw disk whose requests are over when they have been submitted: for tests that are about something else. */
import { BlockingRing } from '../blocking-ring.ts'
import { RING_ENTRIES } from '../file-queue.ts'
import { RawDisk } from '../raw.ts'
import { openRawFile } from '../raw-file.ts'

export function blockingDisk(path: string, options: { readonly readOnly: boolean }): RawDisk {
  const file = openRawFile(path, options)
  return new RawDisk(file, new BlockingRing(file, RING_ENTRIES))
}
