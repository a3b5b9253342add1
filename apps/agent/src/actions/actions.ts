/**
 * Long work. An action is journaled, then accepted, then runs by itself; its progress goes out as events and
 * its end is journaled again. What an action does lives elsewhere; this is the same for all of them.
 */
import type { ActionCommand, ActionReport } from '@hearth/shared/action'
import { errorReport, HearthError } from '@hearth/shared/errors'
import { inWords, isFull } from '../host/disk-error.ts'
import { errorText, type Log } from '../log.ts'
import {
  type ActionJournal,
  type ActionRequest,
  compare,
  finishedActionsKept,
  type JournalEntry,
} from './action-journal.ts'

/** What a running action sees of itself. */
export interface ActionProgress {
  /** Aborted when something stronger took over, such as power off during a start, and when it is cancelled. */
  readonly signal: AbortSignal
  /** Aborted only when a person no longer wants it at all. */
  readonly cancelled: AbortSignal
  /** Percent from 0 to 99 (the end is the action's own), and what it does now, for people. */
  report(percent: number, step: string): void
}

export type ActionWork = (progress: ActionProgress) => Promise<void>

export interface ActionSubject {
  actionId: number
  command: ActionCommand
  vmUid?: string
  imageUid?: string
}

interface Running {
  readonly request: ActionRequest | null
  readonly abort: AbortController
  readonly cancel: AbortController
  /** Set in the turn in which its work ended: from then on nothing can be cancelled. */
  ending: boolean
  /** The wish to cancel on its way to the disk. */
  noted: Promise<void>
}

export class Actions {
  readonly #journal: ActionJournal
  readonly #bootId: string
  readonly #log: Log
  readonly #publish: (action: ActionReport) => void
  readonly #reports = new Map<number, ActionReport>()
  readonly #running = new Map<number, Running>()

  constructor(options: {
    journal: ActionJournal
    bootId: string
    log: Log
    publish: (action: ActionReport) => void
  }) {
    this.#journal = options.journal
    this.#bootId = options.bootId
    this.#log = options.log
    this.#publish = options.publish
  }

  /** Reads the journal; returns what was under way when the last agent ended, oldest first. */
  async open(): Promise<JournalEntry[]> {
    const { entries, unreadable } = await this.#journal.load()
    for (const path of unreadable) this.#log.warn('action entry is unreadable and ignored', { path })
    for (const { report } of entries) this.#reports.set(report.actionId, report)
    await this.#prune()
    return entries.filter(({ report }) => report.status === 'running')
  }

  get(actionId: number): ActionReport | null {
    return this.#reports.get(actionId) ?? null
  }

  /** Those under way and the last finished ones, newest last. */
  recent(count: number): ActionReport[] {
    const all = [...this.#reports.values()].sort(compare)
    const finished = all.filter((report) => report.status !== 'running').slice(-count)
    return [...finished, ...all.filter((report) => report.status === 'running')].sort(compare)
  }

  /** Accepts an action. The caller has checked that its id is new (`get`) in the same turn. */
  async accept(subject: ActionSubject, request: ActionRequest, work: ActionWork): Promise<ActionReport> {
    const report: ActionReport = {
      actionId: subject.actionId,
      command: subject.command,
      status: 'running',
      progress: 0,
      step: 'Waiting to begin',
      error: null,
      startedAt: new Date().toISOString(),
      finishedAt: null,
      vmUid: subject.vmUid ?? null,
      imageUid: subject.imageUid ?? null,
    }
    this.#reports.set(report.actionId, report)
    try {
      await this.#journal.write({ v: 1, report, request, bootId: this.#bootId })
    } catch (error) {
      if (!isFull(error) || !makesRoom(request)) {
        this.#reports.delete(report.actionId)
        throw error
      }
      this.#log.warn('the disk is full: what makes room is done without a note', { action: report.actionId })
    }
    this.#publish(report)
    this.#run(report, request, work)
    return report
  }

  /** Goes on with an action of the last agent; with one that was cancelled, as cancelled. */
  resume(entry: JournalEntry, work: ActionWork): void {
    this.#run(entry.report, entry.request, work, entry.cancelled === true)
  }

  /** Ends an action of the last agent that cannot be gone on with. */
  async end(entry: JournalEntry, error: HearthError | null): Promise<void> {
    await this.#finish(entry.report, error)
  }

  /** Asks a running action to stop; it ends by itself. */
  abort(actionId: number, reason: HearthError): void {
    this.#running.get(actionId)?.abort.abort(reason)
  }

  /**
   * A person no longer wants it: it takes back what it did and ends by itself, soon. Resolves when the wish is on disk,
   * so that also the next agent knows of it. Does nothing for what has ended.
   */
  async cancel(actionId: number): Promise<void> {
    const running = this.#running.get(actionId)
    const report = this.#reports.get(actionId)
    if (!running || !report || running.ending) return
    if (!running.cancel.signal.aborted) {
      const { request } = running
      running.noted = this.#journal
        .write({ v: 1, report, request, bootId: this.#bootId, cancelled: true })
        .catch((error: unknown) => {
          // It ends all the same, and makes room.
          if (!isFull(error)) throw error
        })
      running.cancel.abort(cancelledByPerson())
      running.abort.abort(running.cancel.signal.reason)
    }
    await running.noted
  }

  #run(report: ActionReport, request: ActionRequest | null, work: ActionWork, cancelled = false): void {
    const running: Running = {
      request,
      abort: new AbortController(),
      cancel: new AbortController(),
      ending: false,
      noted: Promise.resolve(),
    }
    if (cancelled) {
      running.cancel.abort(cancelledByPerson())
      running.abort.abort(running.cancel.signal.reason)
    }
    const progress: ActionProgress = {
      signal: running.abort.signal,
      cancelled: running.cancel.signal,
      report: (percent, step) => this.#progress(report.actionId, percent, step),
    }
    this.#running.set(report.actionId, running)
    void (async () => {
      let failure: unknown = null
      try {
        await work(progress)
      } catch (error) {
        failure = error
      }
      running.ending = true
      // Otherwise the wish, written last, would bring an ended action back to life at the next start.
      await running.noted.catch(() => undefined)
      await this.#finish(this.#reports.get(report.actionId) ?? report, failure)
      this.#running.delete(report.actionId)
    })()
  }

  #progress(actionId: number, percent: number, step: string): void {
    const report = this.#reports.get(actionId)
    if (report?.status !== 'running') return
    const progress = Math.min(99, Math.max(report.progress, Math.floor(percent)))
    if (progress === report.progress && step === report.step) return
    this.#update({ ...report, progress, step })
  }

  async #finish(report: ActionReport, failure: unknown): Promise<void> {
    const finishedAt = new Date().toISOString()
    const ended: ActionReport =
      failure === null
        ? { ...report, status: 'success', progress: 100, step: 'Done', finishedAt }
        : { ...report, status: 'error', error: errorReport(inWords(failure)), finishedAt }
    const fields = { action: ended.actionId, command: ended.command, vm: ended.vmUid, image: ended.imageUid }
    if (failure === null) this.#log.info('action done', fields)
    else this.#log.error('action failed', { ...fields, error: errorText(failure) })
    try {
      await this.#journal.write({ v: 1, report: ended, request: null, bootId: this.#bootId })
    } catch (error) {
      // The disk may be full; the action has ended all the same, its watchers must learn it, and the next agent must
      // not go on with it.
      this.#log.error('cannot write the end of an action', { ...fields, error: errorText(error) })
      await this.#journal.forget(ended.actionId).catch(() => undefined)
    }
    this.#update(ended)
    await this.#prune()
  }

  #update(report: ActionReport): void {
    this.#reports.set(report.actionId, report)
    this.#publish(report)
  }

  async #prune(): Promise<void> {
    const finished = [...this.#reports.values()].filter((report) => report.status !== 'running').sort(compare)
    for (const report of finished.slice(0, Math.max(0, finished.length - finishedActionsKept))) {
      this.#reports.delete(report.actionId)
      await this.#journal.forget(report.actionId).catch(() => undefined)
    }
  }
}

/** What is done on a full disk although nothing can be noted: else it would stay full. */
function makesRoom(request: ActionRequest): boolean {
  switch (request.kind) {
    case 'delete':
    case 'delete_snapshot':
    case 'delete_backup':
    case 'delete_volume':
    case 'delete_image':
      return true
    case 'power':
      return request.op === 'poweroff'
    default:
      return false
  }
}

function cancelledByPerson(): HearthError {
  return new HearthError('cancelled', 'This was cancelled.')
}

/** `work`, or the rejection of the signal if that comes first; the work itself goes on. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  throwIfAborted(signal)
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Rejects as soon as the action is asked to stop. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted)
    throw signal.reason instanceof HearthError
      ? signal.reason
      : new HearthError('cancelled', 'This was cancelled.')
}
