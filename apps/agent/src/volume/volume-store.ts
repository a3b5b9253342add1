/**
 * Volumes on disk, `<state>/volumes/<volumeUid>/disk.raw`: disks of their own, which stay when a VM goes. A folder is
 * complete or not there.
 */
import { mkdir, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { HearthError } from '@hearth/shared/errors'
import { type VolumeFormat, type VolumeReport, volumeUidSchema } from '@hearth/shared/volume'
import { run } from '../host/command.ts'
import { syncFolder, temporaryPrefix } from '../store/atomic-file.ts'

const diskName = 'disk.raw'

export class VolumeStore {
  readonly #root: string
  readonly #reports = new Map<string, VolumeReport>()
  readonly #events: { changed(report: VolumeReport): void; removed(volumeUid: string): void }

  constructor(
    stateFolder: string,
    events: { changed(report: VolumeReport): void; removed(volumeUid: string): void },
  ) {
    this.#root = join(stateFolder, 'volumes')
    this.#events = events
  }

  async open(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.#root)) {
      if (name.startsWith(temporaryPrefix)) await rm(join(this.#root, name), { recursive: true, force: true })
      else if (volumeUidSchema.safeParse(name).success) await this.measure(name)
    }
  }

  reports(): VolumeReport[] {
    return [...this.#reports.values()]
  }

  has(volumeUid: string): boolean {
    return this.#reports.has(volumeUid)
  }

  require(volumeUid: string): VolumeReport {
    const report = this.#reports.get(volumeUid)
    if (!report) throw new HearthError('not_found', 'This volume does not exist on this host.')
    return report
  }

  /** Its disk, whether or not it is there. */
  path(volumeUid: string): string {
    return join(this.#folder(volumeUid), diskName)
  }

  async create(volumeUid: string, bytes: number, format: VolumeFormat, signal: AbortSignal): Promise<void> {
    if (this.has(volumeUid)) return
    const temporary = join(this.#root, `${temporaryPrefix}${volumeUidSchema.parse(volumeUid)}`)
    await rm(temporary, { recursive: true, force: true })
    await mkdir(temporary, { mode: 0o700 })
    try {
      await this.#make(join(temporary, diskName), bytes, format, signal)
      await rename(temporary, this.#folder(volumeUid))
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      throw error
    }
    await syncFolder(this.#root)
    await this.measure(volumeUid)
  }

  async #make(disk: string, bytes: number, format: VolumeFormat, signal: AbortSignal): Promise<void> {
    const file = await open(disk, 'w', 0o600)
    try {
      await file.truncate(bytes)
      // -m 0: nothing kept back for root on a disk that holds no system; the tables are written as the guest uses it.
      if (format === 'ext4')
        await run('mke2fs', ['-q', '-F', '-t', 'ext4', '-m', '0', '-E', 'lazy_itable_init=1', disk], {
          signal,
        })
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Only grows. The file system in it is the guest's business. */
  async grow(volumeUid: string, bytes: number): Promise<void> {
    const { bytes: before } = this.require(volumeUid)
    if (bytes < before) throw new HearthError('invalid_input', 'A disk can grow, but not shrink.')
    await truncate(this.path(volumeUid), bytes)
    await this.measure(volumeUid)
  }

  /** Removes it for good; first its name, so that a crash leaves none that looks whole. */
  async remove(volumeUid: string): Promise<void> {
    const grave = join(this.#root, `${temporaryPrefix}deleted-${volumeUid}`)
    await rename(this.#folder(volumeUid), grave).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    await syncFolder(this.#root)
    await rm(grave, { recursive: true, force: true })
    if (this.#reports.delete(volumeUid)) this.#events.removed(volumeUid)
  }

  async measureAll(): Promise<void> {
    for (const volumeUid of this.#reports.keys()) await this.measure(volumeUid)
  }

  async measure(volumeUid: string): Promise<void> {
    const info = await stat(this.path(volumeUid)).catch(() => null)
    if (!info) {
      if (this.#reports.delete(volumeUid)) this.#events.removed(volumeUid)
      return
    }
    const before = this.#reports.get(volumeUid)
    const report = { volumeUid, bytes: info.size, storedBytes: info.blocks * 512 }
    if (before?.bytes === report.bytes && before.storedBytes === report.storedBytes) return
    this.#reports.set(volumeUid, report)
    this.#events.changed(report)
  }

  #folder(volumeUid: string): string {
    return join(this.#root, volumeUidSchema.parse(volumeUid))
  }
}
