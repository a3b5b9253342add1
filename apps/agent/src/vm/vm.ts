/**
 * One VM on this host: its specification, what is remembered of it, and the monitor that runs it. All changes
 * of its observed state happen here; what a person asks for is sequenced by the operations beside this file.
 */
import { rm, stat } from 'node:fs/promises'
import type { VmReport, VmState } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { VmFolder } from '@hearth/shared/shared-folders'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { VmmEvent, VmmMethod, VmmViewer } from '@hearth/shared/vmm-control'
import type { WatchdogAction } from '@hearth/shared/watchdog'
import { GuestInside } from '../guest/guest-inside.ts'
import { type ProcessIdentity, signalProcess } from '../host/process-identity.ts'
import type { Share } from '../host/shared-folders.ts'
import { errorText, type Log } from '../log.ts'
import type { Guest, GuestNetwork } from '../network/guest-network.ts'
import { KeptRecord } from '../store/kept-record.ts'
import type { VmFiles, VmRecord, VmStore } from '../store/vm-store.ts'
import type { Jails } from '../vmm/jails.ts'
import { boundLog, lastLogLine, removeSockets, type VmSockets, vmSockets } from '../vmm/launch.ts'
import type { ChildExit } from '../vmm/monitor.ts'
import { Conditions } from './conditions.ts'
import { describeExit, type VmEnd } from './exit-reason.ts'
import { letGoLeft } from './hold-still.ts'
import {
  dropSuspended,
  forgetResumed,
  isSuspended,
  keepSuspended,
  putSuspended,
  takeSuspended,
} from './suspend-vm.ts'
import { launchVm, VmRun } from './vm-run.ts'

export interface VmContext {
  store: VmStore
  network: GuestNetwork
  /** Where a volume's disk lies. */
  volumePath: (volumeUid: string) => string
  /** Folders of this box, as its list has them now. */
  shares: (folders: readonly VmFolder[]) => Promise<readonly Share[]>
  runDir: string
  jails: Jails
  /** Program and first arguments that start hearth-vmm. */
  vmmCommand: { command: string; args: string[] }
  bootId: string
  log: Log
  /** Called after every change a report shows. */
  changed: (vm: Vm) => void
}

/** Who watches a VM's screen, and whether its guest shares the clipboard with them. */
export type ViewersListener = (viewers: readonly VmmViewer[], clipboard: boolean) => void

export class Vm {
  readonly files: VmFiles
  readonly sockets: VmSockets
  readonly inside: GuestInside
  /** Resolves once a guest that was adopted is known again, and let go if the last agent was holding it still. */
  settled: Promise<void> = Promise.resolve()
  readonly #context: VmContext
  #spec: VmSpec
  readonly #record: KeptRecord
  #state: VmState
  #since = new Date()
  #ranSince: Date | null = null
  #run: VmRun | null = null
  #diskUsedBytes = 0
  readonly #waiting = new Conditions()
  readonly #viewerListeners = new Set<ViewersListener>()

  constructor(context: VmContext, spec: VmSpec, record: VmRecord) {
    this.#context = context
    this.#spec = spec
    this.#record = new KeptRecord(context.store, spec.vmUid, record)
    this.files = context.store.files(spec.vmUid)
    this.sockets = vmSockets(context.runDir, spec.vmUid)
    this.inside = new GuestInside(this.sockets.guestAgent, (what, error) =>
      context.log.warn(what, { vm: spec.vmUid, error: errorText(error) }),
    )
    const stopped = isSuspended(this.files) ? 'suspended' : 'stopped'
    this.#state = record.phase === 'creating' ? 'creating' : record.exit?.crashed ? 'crashed' : stopped
    if (record.jailUid !== undefined) context.jails.uid(spec.vmUid, record.jailUid)
    if (record.exit) this.#since = new Date(record.exit.at)
  }

  get spec(): VmSpec {
    return this.#spec
  }

  get record(): VmRecord {
    return this.#record.value
  }

  get state(): VmState {
    return this.#state
  }

  volumePath(volumeUid: string): string {
    return this.#context.volumePath(volumeUid)
  }

  get hasProcess(): boolean {
    return this.#run !== null
  }

  /** Nothing of it runs and nothing waits to go on: its disks are its own to change. */
  get isOff(): boolean {
    return this.#run === null && this.#state !== 'suspended'
  }

  /** Whether this run has a screen. */
  get hasDisplay(): boolean {
    return this.#run !== null && this.record.display === true
  }

  get guest(): Guest {
    const { vmUid, name, mac, bridge, forwards, firewall } = this.#spec
    // The address stays its own for when it comes back.
    const address = bridge === undefined ? this.record.address : null
    return { vmUid, name, mac, address, bridge, forwards, firewall }
  }

  report(): VmReport {
    const { vmUid, name, generation, cpus, memoryBytes, diskBytes, mac } = this.#spec
    return {
      vmUid,
      name,
      generation,
      state: this.#state,
      since: this.#since.toISOString(),
      exitReason: this.#run ? null : (this.record.exit?.reason ?? null),
      panicked: this.record.panicked,
      watchdogAt: this.record.watchdogAt,
      display: this.hasDisplay,
      addresses: this.#addresses(mac),
      cpus,
      memoryBytes,
      diskBytes: diskBytes ?? null,
      diskUsedBytes: this.#diskUsedBytes,
      observedAt: new Date().toISOString(),
    }
  }

  async setSpec(spec: VmSpec): Promise<void> {
    await this.#context.store.writeSpec(spec)
    this.#spec = spec
    this.#changed()
  }

  async setRecord(change: Partial<VmRecord>): Promise<void> {
    await this.#record.change(change)
    this.#waiting.look()
  }

  setState(state: VmState): void {
    if (state === this.#state) return
    // A guest that was held still for a moment has run since before that.
    const resumed = this.#state === 'paused' && state === 'running' ? this.#ranSince : null
    if (this.#state === 'running') this.#ranSince = this.#since
    this.#state = state
    this.#since = resumed ?? new Date()
    this.#changed()
    this.#waiting.look()
  }

  /** Starts the monitor and returns when the guest runs; throws why it does not. */
  async start(signal: AbortSignal): Promise<void> {
    const { network } = this.#context
    let run: VmRun
    await this.setRecord({
      desired: 'running',
      exit: null,
      downWithHost: undefined,
      held: undefined,
      panicked: false,
      watchdogAt: undefined,
      process: null,
      display: this.#spec.display !== undefined,
    })
    this.setState('starting')
    try {
      await removeSockets(this.sockets)
      // The log holds one run: a console opened after it shows how that one ended.
      await Promise.all(
        [`${this.files.serialLog}.1`, this.files.serialLog].map((path) => rm(path, { force: true })),
      )
      const attachment = await network.attach(this.guest, this.sockets, this.files.passtLog)
      await this.setRecord({ passt: attachment.passt })
      if (signal.aborted) throw signal.reason
      const restore = await takeSuspended(this.files)
      const launched = await launchVm(this.#context, this, attachment.net, restore)
      run = this.#watch(launched.identity, launched.exit)
      await this.setRecord({ process: launched.identity })
    } catch (error) {
      if (!this.#run) {
        const report = error instanceof HearthError ? error.userMessage : 'It could not be started.'
        await this.#detach()
        await keepSuspended(this.files)
        await this.setRecord({
          desired: 'stopped',
          exit: { crashed: false, reason: report, at: new Date().toISOString() },
        })
        this.setState(this.#stoppedState())
      }
      throw error
    }
    // Power off may have come while there was no monitor to end yet.
    if (signal.aborted) await this.powerOff()
    await this.#untilRunning(run)
    await forgetResumed(this.files)
  }

  /** Writes the running machine to the disk and ends its monitor, which runs no instruction more. */
  async saveAndEnd(): Promise<void> {
    try {
      await this.#run?.request('snapshot', snapshotTimeoutMs, { after: 'quit' })
    } catch (error) {
      throw new HearthError('vmm_failed', `It could not be suspended and goes on: ${errorText(error)}.`, {
        cause: error,
      })
    }
    await this.untilStopped()
  }

  /** Throws the suspended machine away; its disk is then as after a power cut. */
  async discardSuspended(): Promise<void> {
    await dropSuspended(this.files)
    if (this.#state === 'suspended') this.setState('stopped')
  }

  #stoppedState(): VmState {
    return isSuspended(this.files) ? 'suspended' : 'stopped'
  }

  /** Goes on with a monitor that some earlier agent started. */
  adopt(identity: ProcessIdentity): void {
    this.setState('starting')
    this.#watch(identity)
    this.settled = this.#settle()
  }

  async #settle(): Promise<void> {
    await this.#waiting.until(() => this.#state !== 'starting', startTimeoutMs)
    await letGoLeft(this).catch((error: unknown) =>
      this.#context.log.warn('cannot let a guest go on', { vm: this.#spec.vmUid, error: errorText(error) }),
    )
  }

  /** What became of it while no agent looked: the monitor of the last run is gone. */
  async noteEndedAway(rebooted: boolean): Promise<void> {
    const lastLine = await lastLogLine(this.files.vmmLog)
    const end: VmEnd = rebooted
      ? {
          crashed: false,
          reason: 'The host restarted while it ran.',
          meant: false,
          suspended: false,
          code: 'vmm_failed',
        }
      : describeExit({ code: null, signal: null, reason: null }, null, lastLine)
    await this.#noteEnd(end, { hasRun: true, keepDesired: false })
  }

  /** Presses the power button. The guest decides; `untilStopped` tells when it has. */
  async powerdown(options: { keepDesired: boolean }): Promise<void> {
    const run = this.#run
    if (!run) return
    run.stopRequest ??= 'shutdown'
    run.keepDesired = options.keepDesired
    this.setState('stopping')
    try {
      await this.#request('powerdown')
    } catch (error) {
      this.shutdownIgnored()
      throw error
    }
  }

  /** For a guest that does not listen to the button. Whether one has an agent shows only by asking. */
  async askGuestToShutDown(): Promise<void> {
    if (this.#run) await this.inside.shutDown()
  }

  /** The guest did not react to the power button: what is true is that it runs. */
  shutdownIgnored(): void {
    const run = this.#run
    if (this.#state !== 'stopping' || !run) return
    if (run.stopRequest === 'shutdown') run.stopRequest = null
    this.setState('running')
  }

  /** Ends the monitor now; killed if it does not end by itself. Returns when it is gone and noted. */
  async powerOff(options: { keepDesired: boolean } = { keepDesired: false }): Promise<void> {
    const run = this.#run
    if (!run) return
    run.stopRequest = 'poweroff'
    run.keepDesired = options.keepDesired
    this.setState('stopping')
    await run.powerOff()
    await this.untilStopped()
  }

  async reset(): Promise<void> {
    await this.#request('reset')
  }

  /** Asks the monitor something a person's page waits for; rejects when it does not answer soon. */
  ask(method: VmmMethod, params?: Record<string, unknown>, timeoutMs = askTimeoutMs): Promise<unknown> {
    if (!this.#run) return Promise.reject(new Error('the VM does not run'))
    return this.#run.request(method, timeoutMs, params)
  }

  /** Who watches its screen, told at every change until the returned function is called. */
  onViewers(listener: ViewersListener): () => void {
    this.#viewerListeners.add(listener)
    return () => this.#viewerListeners.delete(listener)
  }

  /** Holds the guest still: no instruction of it runs until `resume`. */
  async pause(): Promise<void> {
    await this.#request('pause')
    this.setState('paused')
  }

  async resume(): Promise<void> {
    await this.#request('resume')
    if (this.#state === 'paused') this.setState('running')
  }

  /** Resolves when there is no monitor any more; false when `timeoutMs` passed before. */
  untilStopped(timeoutMs?: number): Promise<boolean> {
    return this.#waiting.until(() => this.#run === null, timeoutMs)
  }

  /** Resolves with true when no work holds the guest still; with false when `timeoutMs` passed before. */
  async untilLetGo(timeoutMs: number): Promise<boolean> {
    const letGo = await this.#waiting.until(() => this.record.held === undefined, timeoutMs)
    await this.#record.atRest
    return letGo
  }

  /** The agent ends; the VM stays. */
  release(): void {
    this.#run?.release()
  }

  async measure(): Promise<void> {
    // While it is held still it can tell nothing new, and what it told stays true.
    if (this.#state !== 'paused') {
      const running = this.#run !== null && this.#state === 'running'
      void this.inside.askAddresses(this.#spec.mac, running).then((changed) => {
        if (changed && this.#run) this.#changed()
      })
    }
    await boundLog(this.files.vmmLog)
    await boundLog(this.files.passtLog)
    let used = 0
    const { disk, seed, kernel, initrd, disc } = this.files
    for (const path of [disk, seed, kernel, initrd, disc]) {
      used += ((await stat(path).catch(() => null))?.blocks ?? 0) * 512
    }
    if (used === this.#diskUsedBytes) return
    this.#diskUsedBytes = used
    this.#changed()
  }

  /** Those DHCP gave it, and what it gave itself. Behind passt no address leads to it. */
  #addresses(mac: string): string[] {
    const { network } = this.#context
    if (!this.#run || network.kind === 'passt') return []
    return [...new Set([...network.addresses(mac), ...this.inside.addresses])]
  }

  #watch(identity: ProcessIdentity, childExit?: ChildExit): VmRun {
    const { bootId, log } = this.#context
    const { vmUid } = this.#spec
    const { control: controlPath } = this.sockets
    this.#run = new VmRun({
      ...{ identity, bootId, controlPath, childExit, vmmLog: this.files.vmmLog },
      onEvent: (run, event) => this.#event(run, event),
      ended: async (run, end, { code, signal }) => {
        log.info('vm ended', { vm: vmUid, code, signal, reason: end.reason })
        await this.#noteEnd(end, run).catch((error: unknown) =>
          log.error('cannot note the end of a VM', { vm: vmUid, error: errorText(error) }),
        )
      },
    })
    return this.#run
  }

  async #noteEnd(end: VmEnd, run: Pick<VmRun, 'hasRun' | 'keepDesired'>): Promise<void> {
    try {
      await this.#detach()
      await (run.hasRun ? forgetResumed(this.files) : keepSuspended(this.files))
      if (end.suspended) await putSuspended(this.files)
      await this.setRecord({
        process: null,
        held: undefined,
        desired: end.meant && !run.keepDesired ? 'stopped' : this.record.desired,
        exit: { crashed: end.crashed, reason: end.reason, at: new Date().toISOString() },
      })
    } finally {
      this.#run = null
      const state = end.crashed ? 'crashed' : this.#stoppedState()
      if (this.#state === state) this.#changed()
      this.setState(state)
      this.#waiting.look()
    }
  }

  async #detach(): Promise<void> {
    const { passt } = this.record
    await this.#context.network.detach(this.#spec.vmUid, passt)
    if (passt) signalProcess(passt, this.#context.bootId, 'SIGTERM')
    await removeSockets(this.sockets)
    await this.#context.jails.ended(this.#spec.vmUid)
    if (passt) await this.setRecord({ passt: null })
  }

  #event(run: VmRun, event: VmmEvent): void {
    if (event.event === 'panic') this.#notePanic()
    if (event.event === 'watchdog') this.#noteWatchdog(event.action)
    if (event.event === 'viewers')
      for (const listener of this.#viewerListeners) listener(event.viewers, event.clipboard === true)
    if (event.event !== 'state') return
    const { status } = event
    if (status.panicked) this.#notePanic()
    if (status.state === 'exited') return
    if (status.state !== 'starting') run.hasRun = true
    // Between the button and the guest's answer the machine runs on; for a person it is stopping.
    if (run.stopRequest !== null && status.state === 'running') this.setState('stopping')
    else this.setState(status.state)
  }

  #noteWatchdog(action: WatchdogAction): void {
    this.#context.log.warn('a guest does not reload its watchdog', { vm: this.#spec.vmUid, action })
    this.setRecord({ watchdogAt: new Date().toISOString() }).catch((error: unknown) =>
      this.#context.log.warn('cannot note a watchdog', { vm: this.#spec.vmUid, error: errorText(error) }),
    )
    this.#changed()
  }

  #notePanic(): void {
    if (this.record.panicked) return
    this.setRecord({ panicked: true }).catch((error: unknown) =>
      this.#context.log.warn('cannot note a panic', { vm: this.#spec.vmUid, error: errorText(error) }),
    )
    this.#changed()
  }

  async #untilRunning(run: VmRun): Promise<void> {
    const ready = await this.#waiting.until(
      () => this.#run === null || ['running', 'paused', 'stopping'].includes(this.#state),
      startTimeoutMs,
    )
    if (!ready) {
      await this.powerOff()
      throw new HearthError('vmm_failed', 'Its monitor started but did not answer. It was ended again.')
    }
    if (this.#run) return
    const { end, stopRequest } = run
    // Ended so fast that it is over, and meant to be: the start itself was good.
    if (end && !end.crashed && stopRequest === null) return
    if (stopRequest === 'poweroff') throw new HearthError('cancelled', 'It was powered off before it was up.')
    throw new HearthError(end?.code ?? 'vmm_failed', end?.reason ?? 'Its monitor ended.')
  }

  async #request(method: 'powerdown' | 'reset' | 'pause' | 'resume'): Promise<void> {
    try {
      await this.#run?.request(method)
    } catch (error) {
      if (!this.#run) return
      throw new HearthError('vmm_failed', 'Its monitor does not answer. Power off is still possible.', {
        cause: error,
      })
    }
  }

  #changed(): void {
    this.#context.changed(this)
  }
}

/** Memory of many GiB goes to a disk that may be slow. */
const snapshotTimeoutMs = 1_800_000
/** Until the control socket answers `running`: in a lab beside other work a monitor has taken more than 90 s to start. */
const startTimeoutMs = 180_000
/** A page that asks every second must not pile up questions to a monitor that hangs. */
const askTimeoutMs = 3_000
