/**
 * Long work. An action is journaled, then accepted, then runs by itself; its progress goes out as events and
 * its end is journaled again. What an action does lives elsewhere; this is the same for all of them.
 */
import type { ActionCommand, ActionReport } from '@hearth/shared/action'
import { errorReport, HearthError } from '@hearth/shared/errors'
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
  /** Aborted when something stronger took over, such as power off during a start. */
  readonly signal: AbortSignal
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

export class Actions {
  readonly #journal: ActionJournal
  readonly #bootId: string
  readonly #log: Log
  readonly #publish: (action: ActionReport) => void
  readonly #reports = new Map<number, ActionReport>()
  readonly #running = new Map<number, { abort: AbortController; done: Promise<void> }>()

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
      this.#reports.delete(report.actionId)
      throw error
    }
    this.#publish(report)
    this.#run(report, work)
    return report
  }

  /** Goes on with an action of the last agent. */
  resume(entry: JournalEntry, work: ActionWork): void {
    this.#run(entry.report, work)
  }

  /** Ends an action of the last agent that cannot be gone on with. */
  async end(entry: JournalEntry, error: HearthError | null): Promise<void> {
    await this.#finish(entry.report, error)
  }

  /** Asks a running action to stop; it ends by itself. */
  abort(actionId: number, reason: HearthError): void {
    this.#running.get(actionId)?.abort.abort(reason)
  }

  #run(report: ActionReport, work: ActionWork): void {
    const abort = new AbortController()
    const progress: ActionProgress = {
      signal: abort.signal,
      report: (percent, step) => this.#progress(report.actionId, percent, step),
    }
    const done = (async () => {
      let failure: unknown = null
      try {
        await work(progress)
      } catch (error) {
        failure = error
      }
      await this.#finish(this.#reports.get(report.actionId) ?? report, failure)
      this.#running.delete(report.actionId)
    })()
    this.#running.set(report.actionId, { abort, done })
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
        : { ...report, status: 'error', error: errorReport(failure), finishedAt }
    const fields = { action: ended.actionId, command: ended.command, vm: ended.vmUid, image: ended.imageUid }
    if (failure === null) this.#log.info('action done', fields)
    else this.#log.error('action failed', { ...fields, error: errorText(failure) })
    try {
      await this.#journal.write({ v: 1, report: ended, request: null, bootId: this.#bootId })
    } catch (error) {
      // The disk may be full; the action has ended all the same, and its watchers must learn it.
      this.#log.error('cannot write the end of an action', { ...fields, error: errorText(error) })
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

/** Rejects as soon as the action is asked to stop. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted)
    throw signal.reason instanceof HearthError
      ? signal.reason
      : new HearthError('cancelled', 'This was cancelled.')
}
