/**
 * Snapshots on disk, `<state>/snapshots/<snapshotUid>/`: a complete folder or none. Its files share blocks with the
 * VM's where the file system can (XFS, Btrfs), so that taking one is instant and costs what changes afterwards.
 */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HearthError } from '@hearth/shared/errors'
import { snapshotUidSchema, type VmSnapshotReport, vmSnapshotReportSchema } from '@hearth/shared/snapshot'
import { z } from 'zod'
import { readJson, syncFolder, temporaryPrefix, writeJsonAtomic } from '../store/atomic-file.ts'
import { vmRecordSchema } from '../store/vm-store.ts'

/** `snapshot.json`. `boot` is what the VM booted when it was taken: the disk's content and its kernel belong together. */
const snapshotManifestSchema = z.object({
  v: z.literal(1),
  report: vmSnapshotReportSchema.omit({ storedBytes: true }),
  boot: vmRecordSchema.shape.boot,
})
export type SnapshotManifest = z.infer<typeof snapshotManifestSchema>

export interface StoredSnapshot {
  manifest: SnapshotManifest
  report: VmSnapshotReport
}

export class SnapshotStore {
  readonly #root: string
  readonly #snapshots = new Map<string, StoredSnapshot>()
  readonly #users = new Map<string, number>()
  readonly #events: { changed(report: VmSnapshotReport): void; removed(snapshotUid: string): void }

  constructor(
    stateFolder: string,
    events: { changed(report: VmSnapshotReport): void; removed(snapshotUid: string): void },
  ) {
    this.#root = join(stateFolder, 'snapshots')
    this.#events = events
  }

  /** Reads what is there and removes what was left unfinished; returns folders that cannot be read. */
  async open(): Promise<string[]> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 })
    const unreadable: string[] = []
    for (const name of await readdir(this.#root)) {
      const folder = join(this.#root, name)
      if (name.startsWith(temporaryPrefix)) {
        await rm(folder, { recursive: true, force: true })
        continue
      }
      try {
        const manifest = snapshotManifestSchema.parse(await readJson(join(folder, 'snapshot.json')))
        if (manifest.report.snapshotUid !== name) throw new Error('it is another snapshot')
        await this.#add(manifest)
      } catch {
        unreadable.push(folder)
      }
    }
    return unreadable
  }

  reports(): VmSnapshotReport[] {
    return [...this.#snapshots.values()].map(({ report }) => report)
  }

  find(snapshotUid: string): StoredSnapshot | undefined {
    return this.#snapshots.get(snapshotUid)
  }

  require(snapshotUid: string): StoredSnapshot {
    const snapshot = this.find(snapshotUid)
    if (!snapshot) throw new HearthError('not_found', 'This snapshot does not exist on this host.')
    return snapshot
  }

  folder(snapshotUid: string): string {
    return join(this.#root, snapshotUidSchema.parse(snapshotUid))
  }

  /** `fill` puts the files into a folder that gets its name only when all of it is there. */
  async create(
    snapshotUid: string,
    fill: (folder: string) => Promise<Omit<SnapshotManifest, 'v'>>,
  ): Promise<void> {
    const temporary = join(this.#root, `${temporaryPrefix}${snapshotUidSchema.parse(snapshotUid)}`)
    await rm(temporary, { recursive: true, force: true })
    await mkdir(temporary, { mode: 0o700 })
    try {
      const manifest = { v: 1 as const, ...(await fill(temporary)) }
      await writeJsonAtomic(join(temporary, 'snapshot.json'), manifest)
      await rename(temporary, this.folder(snapshotUid))
      await syncFolder(this.#root)
      this.#events.changed(await this.#add(manifest))
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      throw error
    }
  }

  /** Keeps a snapshot from being deleted while something is copied out of it. */
  async use<T>(snapshotUid: string, work: (snapshot: StoredSnapshot) => Promise<T>): Promise<T> {
    const snapshot = this.require(snapshotUid)
    this.#users.set(snapshotUid, (this.#users.get(snapshotUid) ?? 0) + 1)
    try {
      return await work(snapshot)
    } finally {
      const users = (this.#users.get(snapshotUid) ?? 1) - 1
      if (users === 0) this.#users.delete(snapshotUid)
      else this.#users.set(snapshotUid, users)
    }
  }

  /** Removes it for good; first its name, so that a crash leaves none that looks whole. */
  async remove(snapshotUid: string): Promise<void> {
    if (this.#users.has(snapshotUid))
      throw new HearthError('locked', 'A VM is being made from this snapshot. Wait until that is done.')
    const grave = join(this.#root, `${temporaryPrefix}deleted-${snapshotUid}`)
    await rename(this.folder(snapshotUid), grave).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    await syncFolder(this.#root)
    await rm(grave, { recursive: true, force: true })
    if (this.#snapshots.delete(snapshotUid)) this.#events.removed(snapshotUid)
  }

  ofVm(vmUid: string): VmSnapshotReport[] {
    return this.reports().filter((report) => report.vmUid === vmUid)
  }

  async #add(manifest: SnapshotManifest): Promise<VmSnapshotReport> {
    const folder = this.folder(manifest.report.snapshotUid)
    let storedBytes = 0
    for (const name of await readdir(folder)) storedBytes += (await stat(join(folder, name))).blocks * 512
    const report = { ...manifest.report, storedBytes }
    this.#snapshots.set(report.snapshotUid, { manifest, report })
    return report
  }
}
