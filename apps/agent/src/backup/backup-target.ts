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
import { diskFigures, isInMemory } from '../host/capacity.ts'
import { isErrno, readJson, temporaryPrefix, writeJsonAtomic } from '../store/atomic-file.ts'
import { markerName, markerSchema } from './backup-format.ts'
import { checkOf, encryptedVault, isSame, plainVault, type Vault } from './vault.ts'

const chosenSchema = z.object({
  v: z.literal(1),
  folder: z.string(),
  targetUid: z.uuid(),
  /** Of encrypted backups; the file is readable for root alone. */
  key: z.string().optional(),
})
type Chosen = z.infer<typeof chosenSchema>
type Marker = z.infer<typeof markerSchema>

/** Below this a backup is not begun: it would most likely fill the disk on its way. */
const leastFreeBytes = 64 * MIB

export class BackupTarget {
  readonly #state: string
  readonly #file: string
  #chosen: Chosen | null = null
  #vault: Vault = plainVault

  constructor(stateFolder: string) {
    this.#state = stateFolder
    this.#file = join(stateFolder, 'backup-target.json')
  }

  async open(): Promise<void> {
    const value = await readJson(this.#file)
    this.#use(value === undefined ? null : chosenSchema.parse(value))
  }

  get folder(): string | null {
    return this.#chosen?.folder ?? null
  }

  /** What its files are read and written with. */
  get vault(): Vault {
    return this.#vault
  }

  /** Takes a folder into use, or none any more. What lies in it stays in either case. */
  async choose(folder: string | null, key?: string): Promise<void> {
    if (folder === null) {
      await rm(this.#file, { force: true })
      this.#use(null)
      return
    }
    const { targetUid, encryption } = await this.#prepare(folder, key)
    const known = this.#chosen?.targetUid === targetUid ? this.#chosen.key : undefined
    const used = key ?? known
    if (encryption && (used === undefined || !isSame(checkOf(used, targetUid), encryption.check)))
      throw new HearthError(
        'invalid_input',
        used === undefined
          ? `The backups in ${folder} are encrypted. Give their recovery key.`
          : `This is not the recovery key of the backups in ${folder}.`,
      )
    if (!encryption && key !== undefined)
      throw new HearthError(
        'invalid_input',
        `The backups in ${folder} are not encrypted, and stay so. Choose an empty folder for encrypted ones.`,
      )
    const chosen = { v: 1 as const, folder, targetUid, ...(encryption ? { key: used } : {}) }
    await writeJsonAtomic(this.#file, chosen)
    this.#use(chosen)
  }

  #use(chosen: Chosen | null): void {
    this.#chosen = chosen
    this.#vault = chosen?.key === undefined ? plainVault : encryptedVault(chosen.key)
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
      const inMemory = await isInMemory(folder)
      const { encrypted } = this.#vault
      const figures = await diskFigures(folder)
      return { folder, state: 'ready', problem: null, ...figures, sameDisk, inMemory, encrypted }
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

  /** Looks whether it can be used, and gives back what marks it, or marks it. */
  async #prepare(folder: string, key: string | undefined): Promise<Marker> {
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
      if (found !== undefined) return markerSchema.parse(found)
      const trial = join(folder, `${temporaryPrefix}${randomUUID()}`)
      await mkdir(trial)
      await rm(trial, { recursive: true })
      const targetUid = randomUUID()
      const cipher = 'aes-256-ctr' as const
      const marker: Marker = {
        ...{ v: 1, targetUid },
        ...(key === undefined ? {} : { encryption: { cipher, check: checkOf(key, targetUid) } }),
      }
      await writeFile(path, `${JSON.stringify(marker)}\n`, { flag: 'wx', mode: 0o600 })
      return marker
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
