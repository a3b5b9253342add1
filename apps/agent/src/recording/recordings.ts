/**
 * Recordings on this host, `<state>/recordings/<recordingUid>/`: a manifest and the file. They begin and end by an
 * administrator's word; they also end with the VM, at their own limit, and when the disk gets full. The oldest ones make
 * room for new ones.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { HearthError } from '@hearth/shared/errors'
import {
  type RecordingEnd,
  type RecordingKind,
  type RecordingReport,
  type RecordingStartInput,
  recordingLimits,
  recordingReportSchema,
  recordingUidSchema,
} from '@hearth/shared/recording'
import { z } from 'zod'
import type { RecordingServices } from '../api/services.ts'
import { errorText, type Log } from '../log.ts'
import { ScrollbackLine } from '../serial/scrollback-line.ts'
import { readJson, writeJsonAtomic } from '../store/atomic-file.ts'
import { AsciicastEvents, asciicastHeader } from './asciicast.ts'
import { fbsBlock, fbsHeader } from './fbs.ts'
import { RecordingFile } from './recording-file.ts'
import { watchScreen } from './rfb-watcher.ts'

const manifestSchema = z.object({ v: z.literal(1), report: recordingReportSchema })

export interface RecordingsOptions {
  stateFolder: string
  log: Log
  /** The VM's name, whether this run has what is to be recorded, and a connection to it. Null: there is no such VM. */
  source: (vmUid: string) => RecordingSource | null
  limits?: { oneBytes: number; allBytes: number; freeBytes: number }
}

export interface RecordingSource {
  readonly name: string
  readonly running: boolean
  readonly hasDisplay: boolean
  /** Null: it ended meanwhile. */
  connect(kind: RecordingKind): Promise<Duplex | null>
}

/** How long a monitor may take from closing its sockets to its end. */
const endingMs = 2_000

interface Running {
  readonly stream: Duplex
  readonly file: RecordingFile
  /** Settled when file and manifest are complete. */
  readonly over: Promise<void>
  end(why: RecordingEnd): void
}

export class Recordings implements RecordingServices {
  readonly #root: string
  readonly #options: RecordingsOptions
  readonly #limits: { oneBytes: number; allBytes: number; freeBytes: number }
  readonly #reports = new Map<string, RecordingReport>()
  readonly #running = new Map<string, Running>()
  readonly #listeners = new Set<(vmUid: string, kind: RecordingKind) => void>()
  #timer: NodeJS.Timeout | null = null

  constructor(options: RecordingsOptions) {
    this.#options = options
    this.#limits = options.limits ?? recordingLimits
    this.#root = join(options.stateFolder, 'recordings')
  }

  /** Reads what is there; what was under way when the agent ended is over. */
  async open(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.#root)) {
      const folder = join(this.#root, name)
      try {
        const { report } = manifestSchema.parse(await readJson(join(folder, 'recording.json')))
        if (report.recordingUid !== name) throw new Error('it is another recording')
        if (report.endedAt === null) {
          const { size, mtime } = await stat(this.file(name))
          await this.#keep({ ...report, bytes: size, endedAt: mtime.toISOString(), end: 'interrupted' })
        } else this.#reports.set(name, report)
      } catch (error) {
        this.#options.log.warn('a recording cannot be read and is left alone', {
          folder,
          error: errorText(error),
        })
      }
    }
    this.#timer = setInterval(() => void this.#watchSpace(), 10_000)
    this.#timer.unref()
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    const running = [...this.#running.values()]
    for (const recording of running) recording.end('interrupted')
    await Promise.all(running.map(({ over }) => over))
  }

  /** Newest first. */
  list(): RecordingReport[] {
    return [...this.#reports.values()]
      .map((report) => {
        const running = this.#running.get(report.recordingUid)
        return running ? { ...report, bytes: running.file.bytes } : report
      })
      .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
  }

  find(recordingUid: string): RecordingReport | undefined {
    return this.#reports.get(recordingUid)
  }

  file(recordingUid: string): string {
    return join(this.#root, recordingUidSchema.parse(recordingUid), 'data')
  }

  /** Whether somebody is recorded there now. */
  isRecorded(vmUid: string, kind: RecordingKind): boolean {
    return this.#current(vmUid, kind) !== undefined
  }

  /** Told whenever `isRecorded` may have changed, until the returned function is called. */
  onChange(listener: (vmUid: string, kind: RecordingKind) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when it records. The same identity again, or what is recorded already: as it is. */
  async start(input: RecordingStartInput): Promise<RecordingReport> {
    const { recordingUid, vmUid, kind, startedBy } = input
    const seen = this.#reports.get(recordingUid) ?? this.#current(vmUid, kind)
    if (seen) return seen
    const source = this.#options.source(vmUid)
    if (!source) throw new HearthError('not_found', 'There is no such VM on this host.')
    if (!source.running)
      throw new HearthError('invalid_state', 'The VM does not run: there is nothing to record.')
    if (kind === 'display' && !source.hasDisplay)
      throw new HearthError('invalid_state', 'The VM has no screen to record.')
    await this.#makeRoom()
    const report: RecordingReport = {
      ...{ recordingUid, vmUid, kind, startedBy },
      vmName: source.name,
      startedAt: new Date().toISOString(),
      endedAt: null,
      end: null,
      bytes: 0,
    }
    // Its place is taken before anything is waited for: two at once must not both begin.
    this.#reports.set(recordingUid, report)
    try {
      await mkdir(join(this.#root, recordingUid), { mode: 0o700 })
      await this.#keep(report)
      const stream = await source.connect(kind)
      if (!stream) throw new HearthError('invalid_state', 'The VM ended meanwhile.')
      this.#running.set(recordingUid, this.#record(report, stream))
    } catch (error) {
      this.#reports.delete(recordingUid)
      await rm(join(this.#root, recordingUid), { recursive: true, force: true })
      throw error
    }
    this.#tell(report)
    return report
  }

  /** Resolves when the file is complete. */
  async stop(recordingUid: string): Promise<RecordingReport> {
    const running = this.#running.get(recordingUid)
    running?.end('stopped')
    await running?.over
    return this.#require(recordingUid)
  }

  async remove(recordingUid: string): Promise<void> {
    this.#require(recordingUid)
    if (this.#running.has(recordingUid))
      throw new HearthError('invalid_state', 'It is still being recorded. Stop it first.')
    await rm(join(this.#root, recordingUid), { recursive: true, force: true })
    this.#reports.delete(recordingUid)
  }

  #require(recordingUid: string): RecordingReport {
    const report = this.#reports.get(recordingUid)
    if (!report) throw new HearthError('not_found', 'This recording does not exist any more.')
    return report
  }

  #current(vmUid: string, kind: RecordingKind): RecordingReport | undefined {
    return [...this.#reports.values()].find(
      (report) => report.vmUid === vmUid && report.kind === kind && report.endedAt === null,
    )
  }

  #record(report: RecordingReport, stream: Duplex): Running {
    const { recordingUid, kind } = report
    const began = performance.now()
    const over = Promise.withResolvers<void>()
    let why: RecordingEnd | null = null
    const end = (reason: RecordingEnd): void => {
      why ??= reason
      stream.destroy()
    }
    const file = new RecordingFile(
      this.file(recordingUid),
      this.#limits.oneBytes,
      () => end('full'),
      (error) => {
        this.#options.log.warn('a recording cannot be written', { recordingUid, error: errorText(error) })
        end('no_space')
      },
    )
    const write = (piece: Buffer): void => {
      if (piece.length === 0 || file.write(piece)) return
      stream.pause()
      file.drained(() => stream.resume())
    }
    const now = (): number => Math.round(performance.now() - began)
    if (kind === 'display') {
      write(fbsHeader())
      const viewer = {
        id: `recording-${randomUUID()}`,
        name: `● ${report.startedBy}`.slice(0, 80),
        input: false,
      }
      watchScreen(stream, viewer, (bytes) => write(fbsBlock(bytes, now())))
    } else {
      write(asciicastHeader({ title: report.vmName, startedAt: new Date(report.startedAt) }))
      const events = new AsciicastEvents()
      // What was there before anybody was told of a recording is not in it.
      let live = false
      const line = new ScrollbackLine(
        (bytes) => live && write(events.event(bytes, now())),
        () => {
          live = true
        },
      )
      stream.on('data', (chunk: Buffer) => line.push(chunk))
    }
    stream.on('error', () => stream.destroy())
    stream.once('close', () => {
      void (async () => {
        why ??= await this.#whyClosed(report.vmUid)
        await this.#finish(report, file, why)
      })().finally(() => over.resolve())
    })
    // A monitor that ends half-closes first.
    stream.once('end', () => stream.destroy())
    return { stream, file, over: over.promise, end }
  }

  /** A monitor that ends closes its sockets before its process is seen to be gone. */
  async #whyClosed(vmUid: string): Promise<RecordingEnd> {
    const deadline = Date.now() + endingMs
    while (this.#options.source(vmUid)?.running === true) {
      if (Date.now() >= deadline) return 'interrupted'
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return 'vm_stopped'
  }

  async #finish(report: RecordingReport, file: RecordingFile, why: RecordingEnd): Promise<void> {
    const { recordingUid } = report
    await file.close()
    this.#running.delete(recordingUid)
    try {
      await this.#keep({ ...report, bytes: file.bytes, endedAt: new Date().toISOString(), end: why })
    } catch (error) {
      this.#options.log.warn('the end of a recording cannot be noted', {
        recordingUid,
        error: errorText(error),
      })
    }
    this.#tell(report)
  }

  async #keep(report: RecordingReport): Promise<void> {
    this.#reports.set(report.recordingUid, report)
    await writeJsonAtomic(join(this.#root, report.recordingUid, 'recording.json'), { v: 1, report })
  }

  /** The oldest finished ones go until a new one fits. Throws when the disk itself is too full. */
  async #makeRoom(): Promise<void> {
    const { oneBytes, allBytes } = this.#limits
    let used = this.list().reduce((sum, { bytes, endedAt }) => sum + (endedAt === null ? oneBytes : bytes), 0)
    const oldest = this.list()
      .filter(({ endedAt }) => endedAt !== null)
      .toReversed()
    for (const report of oldest) {
      if (used + oneBytes <= allBytes && (await this.#hasSpace())) break
      await this.remove(report.recordingUid)
      used -= report.bytes
      this.#options.log.info('an old recording made room for a new one', {
        recordingUid: report.recordingUid,
      })
    }
    if (used + oneBytes > allBytes)
      throw new HearthError(
        'resource_limit_exceeded',
        'Too much is being recorded at once. Stop a recording first.',
      )
    if (!(await this.#hasSpace()))
      throw new HearthError('no_space', 'The host’s disk is nearly full: it records nothing now.')
  }

  async #hasSpace(): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.#root)
    return bavail * bsize > this.#limits.freeBytes
  }

  async #watchSpace(): Promise<void> {
    if (this.#running.size === 0 || (await this.#hasSpace())) return
    for (const running of this.#running.values()) running.end('no_space')
  }

  #tell({ vmUid, kind }: RecordingReport): void {
    for (const listener of this.#listeners) listener(vmUid, kind)
  }
}
