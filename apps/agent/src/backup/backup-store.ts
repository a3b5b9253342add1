/**
 * The backups in the chosen folder, and what is done with them there. What is known of them comes from the folder
 * alone: a home that lost everything else chooses it again and has them all. Work on one VM's backups goes one after
 * the other, because they share chunks.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { BackupReport, BackupTargetReport } from '@hearth/shared/backup'
import { backupUidSchema } from '@hearth/shared/backup'
import { HearthError } from '@hearth/shared/errors'
import { vmUidSchema } from '@hearth/shared/names'
import { run } from '../host/command.ts'
import { errorText, type Log } from '../log.ts'
import { isErrno, readJson, syncFolder, temporaryPrefix, writeJsonAtomic } from '../store/atomic-file.ts'
import {
  type BackupFile,
  type BackupManifest,
  type ChunkList,
  chunkBytes,
  formatChunkList,
  listName,
  manifestName,
  manifestSchema,
  parseChunkList,
  volumeFileName,
} from './backup-format.ts'
import type { BackupTarget } from './backup-target.ts'
import { targetError } from './backup-target.ts'
import { ChunkFolder, type ChunkProgress, DamagedChunk } from './chunk-folder.ts'
import { Turns } from './turns.ts'
import type { Vault } from './vault.ts'

export interface NewBackup
  extends Pick<BackupManifest, 'backupUid' | 'takenAt' | 'consistency' | 'spec' | 'boot'> {
  files: { name: string; path: string }[]
}

export interface BackupEvents {
  target(report: BackupTargetReport | null): void
  changed(report: BackupReport): void
  removed(backupUid: string): void
}

interface StoredBackup {
  manifest: BackupManifest
  report: BackupReport
}

const never = new AbortController().signal
const firstLookMs = 15_000
const lookingThrough = 'Its backups are being looked through.'

export class BackupStore {
  readonly target: BackupTarget
  readonly #events: BackupEvents
  readonly #log: Log
  readonly #turns = new Turns()
  readonly #backups = new Map<string, StoredBackup>()
  #report: BackupTargetReport | null = null
  /** The folder whose backups are known. */
  #known: string | null = null
  #looking = false

  constructor(options: { target: BackupTarget; events: BackupEvents; log: Log }) {
    this.target = options.target
    this.#events = options.events
    this.#log = options.log
  }

  /** Actions that go on need to know what is there; a share that answers nothing keeps no VM from being started. */
  async open(): Promise<void> {
    await this.target.open()
    await Promise.race([this.look(), wait(firstLookMs, undefined, { ref: false })])
  }

  /** Complete while the target is `ready`. */
  reports(): BackupReport[] {
    return [...this.#backups.values()].map(({ report }) => report)
  }

  targetReport(): BackupTargetReport | null {
    return this.#report
  }

  has(backupUid: string): boolean {
    return this.#backups.has(backupUid)
  }

  require(backupUid: string): StoredBackup {
    const backup = this.#backups.get(backupUid)
    if (!backup)
      throw this.#report?.state === 'ready'
        ? new HearthError('not_found', 'This backup is not on the backup disk.')
        : new HearthError(
            'disk_missing',
            'The backup disk is not there. Connect it, or mount its share, on the host, then try again.',
          )
    return backup
  }

  /** What can be restored: a damaged one is refused before it takes something's place. */
  requireWhole(backupUid: string): StoredBackup {
    const backup = this.require(backupUid)
    if (backup.report.damaged) throw damagedError()
    return backup
  }

  async choose(folder: string | null, key?: string): Promise<BackupTargetReport | null> {
    await this.target.choose(folder, key)
    if (this.#known !== this.target.folder) this.#forget()
    await this.look()
    return this.#report
  }

  /** How the target is now; when it has come, what lies in it. One look at a time: a dead share answers nobody. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const report = await this.target.report()
      if (report?.state === 'ready' && this.#known !== report.folder) {
        this.#tell({ ...report, state: 'missing', problem: lookingThrough })
        await this.#lookThrough(report.folder)
        this.#known = report.folder
      }
      this.#tell(report)
    } catch (error) {
      this.#log.warn('the backup disk cannot be read', { error: errorText(error) })
    } finally {
      this.#looking = false
    }
  }

  /** Nothing of it counts until all of it is on the disk; what a failure leaves is taken away again. */
  async take(backup: NewBackup, progress: ChunkProgress): Promise<void> {
    const { backupUid, spec } = backup
    const { vmUid } = spec
    await this.#onVm(vmUid, progress.signal, async (root, vault) => {
      await this.target.requireSpace()
      const folder = join(root, vmUid)
      await mkdir(folder, { mode: 0o700 }).catch(unlessThere)
      const chunks = new ChunkFolder(folder, vault)
      await chunks.make()
      const temporary = join(folder, `${temporaryPrefix}${backupUidSchema.parse(backupUid)}`)
      await rm(temporary, { recursive: true, force: true })
      await mkdir(temporary, { mode: 0o700 })
      try {
        const { sums } = await this.#named(folder, vault)
        const present = await chunks.present()
        // What no whole backup names may be torn: it was written by one that came to no end.
        const known = new Set([...sums].filter((sum) => present.has(sum)))
        const files: BackupFile[] = []
        let storedBytes = 0
        for (const { name, path } of backup.files) {
          const stored = await chunks.store(path, known, progress)
          await writeFile(join(temporary, listName(name)), formatChunkList(stored.list), { mode: 0o600 })
          files.push({ name, bytes: stored.bytes, listSha256: stored.listSha256 })
          storedBytes += stored.storedBytes
        }
        const { files: _, ...facts } = backup
        const manifest: BackupManifest = { v: 1, ...facts, chunkBytes, files, storedBytes }
        // The chunks have to be on the disk before anything says that they are.
        await run('sync', ['-f', temporary])
        await this.target.require()
        await writeJsonAtomic(join(temporary, manifestName), await vault.sealJson(manifest))
        await rename(temporary, join(folder, backupUid))
        await syncFolder(folder)
      } catch (error) {
        await this.#tidy(folder, vault)
        throw error
      }
    })
  }

  /** Hands out the files of a backup one by one, for as long as nothing else changes that VM's backups. */
  async read(
    backupUid: string,
    signal: AbortSignal,
    use: (
      file: BackupFile,
      restore: (to: string, onBytes: (bytes: number) => void) => Promise<void>,
    ) => Promise<void>,
  ): Promise<void> {
    const { manifest } = this.requireWhole(backupUid)
    const { vmUid } = manifest.spec
    await this.#onVm(vmUid, signal, async (root, vault) => {
      const chunks = new ChunkFolder(join(root, vmUid), vault)
      for (const file of manifest.files) {
        const list = await readList(join(root, vmUid, backupUid), file)
        await use(file, (to, onBytes) => chunks.restore(to, file.bytes, list, { signal, onBytes }))
      }
    })
  }

  /** Reads all of it again. Throws when something is wrong, which from then on everybody sees. */
  async verify(backupUid: string, progress: ChunkProgress): Promise<void> {
    const { manifest } = this.require(backupUid)
    const { vmUid } = manifest.spec
    await this.#onVm(vmUid, progress.signal, async (root, vault) => {
      const chunks = new ChunkFolder(join(root, vmUid), vault)
      for (const file of manifest.files) {
        const list = await readList(join(root, vmUid, backupUid), file)
        const [first] = await chunks.verify(file.bytes, list, progress)
        if (first) throw first
      }
    })
  }

  async remove(backupUid: string, signal: AbortSignal): Promise<void> {
    const { vmUid } = this.require(backupUid).manifest.spec
    await this.#onVm(vmUid, signal, async (root, vault) => {
      const folder = join(root, vmUid)
      const grave = join(folder, `${temporaryPrefix}deleted-${backupUidSchema.parse(backupUid)}`)
      await rename(join(folder, backupUid), grave).catch((error: unknown) => {
        if (!isErrno(error, 'ENOENT')) throw error
      })
      await syncFolder(folder)
      await this.#tidy(folder, vault)
    })
  }

  /** Work in the folder of one VM; afterwards what is known of its backups is what lies there. */
  #onVm(
    vmUid: string,
    signal: AbortSignal,
    work: (root: string, vault: Vault) => Promise<void>,
  ): Promise<void> {
    return this.#turns.take(vmUid, signal, async () => {
      // Of that folder, also when another one is chosen meanwhile.
      const { vault } = this.target
      const root = await this.target.require()
      try {
        await work(root, vault)
      } catch (error) {
        if (!(error instanceof DamagedChunk) && !(error instanceof DamagedList))
          throw targetError(error, root)
        this.#log.error('a backup is damaged', { vm: vmUid, error: error.message })
        throw damagedError(error)
      } finally {
        await this.#lookThroughVm(root, vmUid, vault).catch((error: unknown) =>
          this.#log.warn('backups cannot be read', { vm: vmUid, error: errorText(error) }),
        )
      }
    })
  }

  async #lookThrough(root: string): Promise<void> {
    const { vault } = this.target
    for (const name of await readdir(root))
      if (vmUidSchema.safeParse(name).success)
        await this.#turns.take(name, never, async () => {
          // Of an agent that ended in the middle: a backup that came to no end, or one on its way out.
          if ((await namesOf(join(root, name))).some(isTemporary)) await this.#tidy(join(root, name), vault)
          await this.#lookThroughVm(root, name, vault)
        })
  }

  async #lookThroughVm(root: string, vmUid: string, vault: Vault): Promise<void> {
    if (root !== this.target.folder) return
    const folder = join(root, vmUid)
    const found = new Map<string, StoredBackup>()
    const present = await new ChunkFolder(folder, vault).present()
    for (const name of await namesOf(folder)) {
      if (!backupUidSchema.safeParse(name).success) continue
      try {
        const manifest = await readManifest(join(folder, name), vault)
        if (manifest.backupUid !== name || manifest.spec.vmUid !== vmUid)
          throw new Error(`${manifestName} is of another backup`)
        const damaged = await isDamaged(join(folder, name), manifest, present)
        found.set(name, { manifest, report: reportOf(manifest, damaged) })
      } catch (error) {
        this.#log.error('a backup cannot be read and is left alone', {
          folder: join(folder, name),
          error: errorText(error),
        })
      }
    }
    for (const [backupUid, { manifest }] of this.#backups)
      if (manifest.spec.vmUid === vmUid && !found.has(backupUid)) this.#drop(backupUid)
    for (const [backupUid, backup] of found) {
      const before = this.#backups.get(backupUid)
      this.#backups.set(backupUid, backup)
      if (!isDeepStrictEqual(before?.report, backup.report)) this.#events.changed(backup.report)
    }
  }

  /** The chunks that whole backups name; `complete` is false when one could not be read, which may name more. */
  async #named(
    folder: string,
    vault: Vault,
  ): Promise<{ sums: Set<string>; complete: boolean; backups: number }> {
    const sums = new Set<string>()
    let complete = true
    let backups = 0
    for (const name of await namesOf(folder)) {
      if (!backupUidSchema.safeParse(name).success) continue
      backups++
      try {
        const manifest = await readManifest(join(folder, name), vault)
        for (const file of manifest.files)
          for (const sum of await readList(join(folder, name), file)) if (sum !== null) sums.add(sum)
      } catch {
        complete = false
      }
    }
    return { sums, complete, backups }
  }

  /** Takes away unfinished and deleted backups and the chunks that nothing else needs, as far as the disk lets us. */
  async #tidy(folder: string, vault: Vault): Promise<void> {
    try {
      // Still the right disk: below an empty mount point there is nothing to take away.
      await this.target.require()
      for (const name of (await namesOf(folder)).filter(isTemporary))
        await rm(join(folder, name), { recursive: true, force: true })
      const { sums, complete, backups } = await this.#named(folder, vault)
      if (backups === 0) await rm(folder, { recursive: true, force: true })
      else if (complete) await new ChunkFolder(folder, vault).sweep(sums)
    } catch (error) {
      this.#log.warn('what is left of a backup cannot be removed', { folder, error: errorText(error) })
    }
  }

  #tell(report: BackupTargetReport | null): void {
    if (isDeepStrictEqual(report, this.#report)) return
    this.#report = report
    this.#events.target(report)
  }

  #forget(): void {
    for (const backupUid of [...this.#backups.keys()]) this.#drop(backupUid)
    this.#known = null
  }

  #drop(backupUid: string): void {
    if (this.#backups.delete(backupUid)) this.#events.removed(backupUid)
  }
}

const isTemporary = (name: string): boolean => name.startsWith(temporaryPrefix)

class DamagedList extends Error {}

function damagedError(cause?: unknown): HearthError {
  return new HearthError(
    'host_refused',
    'This backup is damaged: not all of it can be read. Use another one, and look at the backup disk. The next backup writes what is missing again, if the VM still has it.',
    cause === undefined ? {} : { cause },
  )
}

async function readList(folder: string, file: BackupFile): Promise<ChunkList> {
  const text = await readFile(join(folder, listName(file.name)), 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'EIO')) throw new DamagedList(errorText(error))
    throw error
  })
  try {
    return parseChunkList(text, file)
  } catch (error) {
    throw new DamagedList(errorText(error))
  }
}

async function readManifest(folder: string, vault: Vault): Promise<BackupManifest> {
  return manifestSchema.parse(await vault.openJson(await readJson(join(folder, manifestName))))
}

async function isDamaged(
  folder: string,
  manifest: BackupManifest,
  present: ReadonlySet<string>,
): Promise<boolean> {
  for (const file of manifest.files) {
    try {
      const list = await readList(folder, file)
      if (list.some((sum) => sum !== null && !present.has(sum))) return true
    } catch (error) {
      if (error instanceof DamagedList) return true
      throw error
    }
  }
  return false
}

function reportOf(manifest: BackupManifest, damaged: boolean): BackupReport {
  const { backupUid, spec, takenAt, consistency, storedBytes, files } = manifest
  const volumes = (spec.volumes ?? []).flatMap(({ volumeUid }) => {
    const file = files.find(({ name }) => name === volumeFileName(volumeUid))
    return file ? [{ volumeUid, bytes: file.bytes }] : []
  })
  const bytes = files.reduce((sum, file) => sum + (file.name.endsWith('.raw') ? file.bytes : 0), 0)
  return { backupUid, vmUid: spec.vmUid, spec, takenAt, consistency, bytes, storedBytes, damaged, volumes }
}

async function namesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  })
}

function unlessThere(error: unknown): void {
  if (!isErrno(error, 'EEXIST')) throw error
}
