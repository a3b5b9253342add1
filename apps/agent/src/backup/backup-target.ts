/**
 * The folder that backups go to. A file in it, made when it is chosen, tells it from the empty mount point that is
 * left when its disk is not connected; without that file nothing is read or written there.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { BackupTargetReport } from '@hearth/shared/backup'
import { HearthError } from '@hearth/shared/errors'
import { MIB } from '@hearth/shared/units'
import { z } from 'zod'
import { diskFigures } from '../host/capacity.ts'
import { isErrno, readJson, temporaryPrefix, writeJsonAtomic } from '../store/atomic-file.ts'
import { markerName, markerSchema } from './backup-format.ts'

const chosenSchema = z.object({ v: z.literal(1), folder: z.string(), targetUid: z.uuid() })
type Chosen = z.infer<typeof chosenSchema>

/** Below this a backup is not begun: it would most likely fill the disk on its way. */
const leastFreeBytes = 64 * MIB

export class BackupTarget {
  readonly #state: string
  readonly #file: string
  #chosen: Chosen | null = null

  constructor(stateFolder: string) {
    this.#state = stateFolder
    this.#file = join(stateFolder, 'backup-target.json')
  }

  async open(): Promise<void> {
    const value = await readJson(this.#file)
    this.#chosen = value === undefined ? null : chosenSchema.parse(value)
  }

  get folder(): string | null {
    return this.#chosen?.folder ?? null
  }

  /** Takes a folder into use, or none any more. What lies in it stays in either case. */
  async choose(folder: string | null): Promise<void> {
    if (folder === null) {
      await rm(this.#file, { force: true })
      this.#chosen = null
      return
    }
    const chosen = { v: 1 as const, folder, targetUid: await this.#prepare(folder) }
    await writeJsonAtomic(this.#file, chosen)
    this.#chosen = chosen
  }

  /** How it is now; null when none is chosen. Never throws: a target may be in any state. */
  async report(): Promise<BackupTargetReport | null> {
    const chosen = this.#chosen
    if (!chosen) return null
    const { folder } = chosen
    const nothing = { totalBytes: 0, availableBytes: 0, sameDisk: false }
    try {
      await this.#requireMarker(chosen)
      const sameDisk = (await stat(folder)).dev === (await stat(this.#state)).dev
      return { folder, state: 'ready', problem: null, ...(await diskFigures(folder)), sameDisk }
    } catch (error) {
      const { userMessage } = targetError(error, folder)
      return { folder, state: 'missing', problem: userMessage, ...nothing }
    }
  }

  /** The folder, after a look that it is the one that was chosen. */
  async require(): Promise<string> {
    const chosen = this.#chosen
    if (!chosen)
      throw new HearthError(
        'invalid_state',
        'There is no place for backups yet. An administrator chooses a folder of the host for them first.',
      )
    try {
      await this.#requireMarker(chosen)
    } catch (error) {
      throw targetError(error, chosen.folder)
    }
    return chosen.folder
  }

  async requireSpace(): Promise<void> {
    const folder = await this.require()
    const { availableBytes } = await diskFigures(folder).catch((error: unknown) => {
      throw targetError(error, folder)
    })
    if (availableBytes < leastFreeBytes) throw full(folder)
  }

  async #requireMarker({ folder, targetUid }: Chosen): Promise<void> {
    const marker = markerSchema.safeParse(await readJson(join(folder, markerName)))
    if (marker.data?.targetUid !== targetUid) throw missing(folder)
  }

  /** Looks whether it can be used, and gives back the identity it has, or gives it one. */
  async #prepare(folder: string): Promise<string> {
    const inside = relative(this.#state, folder)
    if (inside === '' || !inside.startsWith('..'))
      throw new HearthError(
        'invalid_input',
        'This folder belongs to Hearth itself. Choose one on another disk.',
      )
    const info = await stat(folder).catch(() => null)
    if (!info?.isDirectory())
      throw new HearthError(
        'invalid_input',
        `There is no folder ${folder} on the host. Mount the disk and make the folder, then try again. (Folders in /home, /root and /tmp are not seen by a host that runs as a service.)`,
      )
    const path = join(folder, markerName)
    try {
      const found = await readJson(path)
      if (found !== undefined) return markerSchema.parse(found).targetUid
      const trial = join(folder, `${temporaryPrefix}${randomUUID()}`)
      await mkdir(trial)
      await rm(trial, { recursive: true })
      const targetUid = randomUUID()
      await writeFile(path, `${JSON.stringify({ v: 1, targetUid })}\n`, { flag: 'wx', mode: 0o600 })
      return targetUid
    } catch (error) {
      throw new HearthError(
        'invalid_input',
        `The host cannot use ${folder} (${error instanceof z.ZodError ? `its ${markerName} is none of Hearth's` : error instanceof Error ? error.message : error}). Choose a folder that it can write to.`,
        { cause: error },
      )
    }
  }
}

function missing(folder: string, cause?: unknown): HearthError {
  return new HearthError(
    'disk_missing',
    `The backup disk is not there: ${folder} is not the folder that was chosen. Connect it, or mount its share, on the host.`,
    cause === undefined ? {} : { cause },
  )
}

function full(folder: string, cause?: unknown): HearthError {
  return new HearthError(
    'no_space',
    `The backup disk (${folder}) is full; this backup was not made. Delete old backups or keep fewer.`,
    cause === undefined ? {} : { cause },
  )
}

/** What went wrong with the target, in words that say what to do; anything else is given back as it is. */
export function targetError(error: unknown, folder: string): HearthError {
  if (error instanceof HearthError) return error
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return full(folder, error)
  if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE', 'ENODEV', 'ENXIO', 'ETIMEDOUT', 'EHOSTDOWN'))
    return missing(folder, error)
  if (isErrno(error, 'EIO', 'EROFS', 'EACCES', 'EPERM'))
    return new HearthError(
      'host_refused',
      `The backup disk (${folder}) cannot be used: ${error.message}. Look at the disk and its cable, and at its rights, on the host.`,
      { cause: error },
    )
  return new HearthError(
    'internal',
    'The backup failed inside Hearth. The log of the host has the details.',
    {
      log: error instanceof Error ? error.message : String(error),
      cause: error,
    },
  )
}
