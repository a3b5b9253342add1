/**
 * One lab for all tests of a process. `npm test` runs many `*.lab.test.ts` in one (node:test without isolation), so the
 * first file that asks boots the lab and the rest find it; a file run by itself boots its own.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { GIB } from '@hearth/shared/units'
import { cacheDirectory } from '../lib/paths.ts'
import { type Lab, startLab } from './lab.ts'

/** Inside the shared lab: an XFS of its own, for what O_DIRECT or reflinks need. Emptied with the lab. */
export const sharedLabData = '/srv/hearth'

let lab: Promise<Lab> | undefined
let scratch: string | undefined

export function sharedLab(): Promise<Lab> {
  lab ??= start()
  return lab
}

async function start(): Promise<Lab> {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hearth-test-lab-'))
  return startLab({
    // One: the machine that carries it has to serve portal and browser too, and two were not faster.
    cpus: 1,
    // A guest of 6 GiB has to fit; what is never touched takes nothing of this machine's.
    memoryBytes: 8 * GIB,
    routeToGuests: true,
    shares: [cacheDirectory, { path: scratch, writable: true }],
    dataDisk: { path: sharedLabData, file: path.join(scratch, 'data.img'), bytes: 64 * GIB },
  })
}

/** A folder seen on both sides at the same path, writable from both; there once `sharedLab()` has resolved. */
export function sharedScratch(): string {
  if (!scratch) throw new Error('sharedScratch() before sharedLab() has resolved')
  return scratch
}

// At the root: after the last test of the process, whichever files asked for the lab.
after(async () => {
  if (lab) await (await lab.catch(() => undefined))?.stop()
  if (scratch) await rm(scratch, { recursive: true, force: true })
})
