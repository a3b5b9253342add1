/**
 * The life of a `hearth-vmm` process: opens everything, builds a machine, watches it, builds the next one after
 * a reset, and says how it ended.
 */

import { randomUUID } from 'node:crypto'
import { fstatSync } from 'node:fs'
import type {
  VmmEvent,
  VmmMethod,
  VmmSnapshotParams,
  VmmSnapshotResult,
  VmmStatus,
} from '@hearth/shared/vmm-control'
import { BootError } from '../boot/image-file.ts'
import { DEFAULTS, type RunOptions } from '../cli/run-options.ts'
import { parseBalloonParams, parseDiskChangesParams, parseSnapshotParams } from '../control/messages.ts'
import { ControlServer } from '../control/server.ts'
import { commandChanges } from '../disk/changes.ts'
import { startDiskThread } from '../disk/thread.ts'
import { commandDisplay } from '../display/commands.ts'
import { DisplayThread } from '../display/thread.ts'
import type { PortHandle } from '../io/worker-protocol.ts'
import { Jail } from '../jail/jail.ts'
import type { GuestRam } from '../memory/guest-ram.ts'
import { SerialDrain } from '../serial/drain.ts'
import { SerialHub } from '../serial/hub.ts'
import { SerialLog } from '../serial/log-file.ts'
import { SocketViewers } from '../serial/socket-viewers.ts'
import { attachTerminal } from '../serial/terminal-viewer.ts'
import { FolderWriter, type OpenSnapshot, openSnapshot, SnapshotSlot } from '../snapshot/folder.ts'
import { TrackedSnapshot } from '../snapshot/tracked.ts'
import { EXIT, ExitError, usageError } from '../sys/exit-error.ts'
import { onNodeLoop, tidyRegularly, trimMalloc } from '../sys/thrift.ts'
import { listenUnixFd, removeSocket } from '../sys/unix-socket.ts'
import { type ShareHandle, type ShareOption, startShare } from '../virtio/fs/thread.ts'
import { Machine, type MachineOptions } from './machine.ts'
import { openMachine } from './open-machine.ts'
import { type End, type ProcessEnd, processEndOf } from './process-end.ts'
import type { MachineWorkers } from './workers.ts'

/** How a machine ended that its watchdog ended. */
const WATCHDOG = 'watchdog'
const WATCHDOG_OFF = 'it did not reload its watchdog in time'
/** A guest may have its watchdog expire a thousand times a second: whoever is told of it writes it down each time. */
const WATCHDOG_TOLD_MS = 10_000

export class Monitor {
  private readonly options: RunOptions
  private readonly warn: (text: string) => void
  private readonly earlyWorkers: MachineWorkers | undefined
  private readonly hub = new SerialHub()
  private readonly serial = new SerialDrain(this.hub)
  private readonly startedAt = Date.now()
  private readonly jail: Jail
  private state: VmmStatus['state'] = 'starting'
  private resets = 0
  /** There is something to boot: not so after `--restore` of a kernel that was not given. */
  private startsAgain = false
  /** What the next machine is told of how this one ended. */
  private again: Pick<MachineOptions, 'watchdog'> = {}
  private panicked = false
  /** Of performance.now(): when a watchdog was told of that nothing else follows. */
  private watchdogTold = Number.NEGATIVE_INFINITY
  private machine: Machine | undefined
  private control: ControlServer | undefined
  /** Settled by whatever ends the machine that runs now. */
  private ending = Promise.withResolvers<End>()
  /** Who wanted the process to end. */
  private quitting: string | undefined
  private viewers: { close(): Promise<void> } | undefined
  private display: DisplayThread | undefined
  private cpus: number
  private memoryBytes: number
  private disks: MachineOptions['disks'] = []
  private ram: GuestRam | undefined
  private slot: SnapshotSlot | undefined
  private readonly tracked = new TrackedSnapshot()
  /** The snapshot being written; settled when it is over. */
  private saving: Promise<void> | undefined
  /** Its vCPUs are on their way to stand still. */
  private pausing: Promise<void> | undefined

  /**
   * `warn` gets one line at a time, for stderr; `early` are threads that were started before the VM was known. Throws
   * ExitError when the jail is not what the options say.
   */
  constructor(options: RunOptions, warn: (text: string) => void, early?: MachineWorkers) {
    this.options = options
    this.warn = warn
    this.earlyWorkers = early
    this.cpus = options.cpus ?? DEFAULTS.cpus
    this.memoryBytes = options.memoryBytes ?? DEFAULTS.memoryBytes
    const { serial, control, display, vsock, ports = [], jail = { kind: 'process' } } = options
    const sockets = [
      ...[serial.kind === 'unix' ? serial.path : undefined, control, display?.path, vsock?.path],
      ...ports.map(({ path }) => path),
    ]
    this.jail = new Jail(jail, {
      sockets: sockets.filter((path) => path !== undefined),
      terminal: serial.kind === 'stdio',
      folders: foldersOf(options.shares),
    })
  }

  /** Runs until the VM is over. Throws ExitError when it cannot start. */
  async run(): Promise<ProcessEnd> {
    const { restore } = this.options
    const snapshot = restore === undefined ? undefined : await this.openSnapshot(restore)
    const ports: PortHandle[] = []
    for (const { name, path } of this.options.ports ?? []) {
      ports.push({ name, listenFd: await listenUnixFd('port', path) })
    }
    const { vsock } = this.options
    const shares: ShareHandle[] = []
    for (const share of this.options.shares ?? []) shares.push(await startShare(share, this.jail))
    const { cpus, memoryBytes, jail, earlyWorkers: early } = this
    const { attentionFd: serialAttentionFd } = this.serial
    if (this.options.snapshotSlot !== undefined) this.slot = new SnapshotSlot(this.options.snapshotSlot)
    const opened = openMachine(this.options, snapshot, { cpus, memoryBytes, jail, early, serialAttentionFd })
    this.ram = opened.ram
    // A unikernel behind hypercalls writes its disks without a device that would note it.
    this.disks = opened.hvt ? opened.disks.map((disk) => ({ ...disk, changes: undefined })) : opened.disks
    const { disks, cdroms = [] } = opened
    const diskThread = await startDiskThread([...disks, ...cdroms], jail.thread)
    const machineOptions = {
      ...opened,
      diskThread,
      ports,
      diskLimit: this.options.diskLimit,
      netLimit: this.options.netLimit,
      mmio: this.options.mmio,
      vsock: vsock && { ...vsock, listenFd: await listenUnixFd('vsock', vsock.path) },
      shares,
      watchdog: this.options.watchdog && { timedOut: false },
      keepMemory: this.options.keepMemory,
    }
    if (this.options.serialLog !== undefined) this.serial.log = new SerialLog(this.options.serialLog)
    const { serial, control } = this.options
    this.viewers =
      serial.kind === 'stdio'
        ? attachTerminal(this.hub, () => this.quit('Ctrl-A x'))
        : await SocketViewers.listen(serial.path, this.hub, serial)
    try {
      if (control !== undefined) {
        this.control = await ControlServer.listen(control, (method, params) => this.command(method, params))
      }
      await this.openDisplay()
      const attention = this.serial.watch()
      const end = await this.runMachines({ ...machineOptions, display: this.display?.handle })
      attention.close()
      await this.leave(end)
      return end
    } catch (error) {
      const code = error instanceof ExitError ? error.code : EXIT.internal
      await this.leave({ code, reason: (error as Error).message })
      throw error
    }
  }

  /** Lets everybody who watches see the end, and takes sockets and terminal back. */
  private async leave(end: ProcessEnd): Promise<void> {
    await this.display?.close()
    await this.viewers?.close()
    await this.serial.log?.flushed()
    this.state = 'exited'
    this.broadcastState()
    this.control?.broadcast({ event: 'exit', code: end.code, reason: end.reason })
    await this.control?.close()
    for (const { path } of this.options.ports ?? []) removeSocket(path)
    if (this.options.vsock) removeSocket(this.options.vsock.path)
  }

  private async openDisplay(): Promise<void> {
    const { display, name } = this.options
    if (display === undefined) return
    this.display = await DisplayThread.start({
      ...display,
      name: name ?? 'Hearth',
      viewersChanged: (viewers, clipboard) =>
        this.control?.broadcast({ event: 'viewers', viewers: [...viewers], clipboard }),
      jail: this.jail.thread,
      warn: this.warn,
    })
  }

  /** As pulling the plug. */
  quit(detail: string): void {
    // Kept, too: the machine may be between its end and its next start.
    this.quitting ??= detail
    this.ending.resolve({ kind: 'quit', detail })
  }

  private async openSnapshot(folder: string): Promise<OpenSnapshot> {
    const snapshot = await openSnapshot(folder)
    const { cpus, memoryBytes } = snapshot.document
    const { options } = this
    if ((options.cpus ?? cpus) !== cpus || (options.memoryBytes ?? memoryBytes) !== memoryBytes) {
      throw usageError(
        `--restore ${folder}: the snapshot has --cpus ${cpus} --memory ${memoryBytes / 2 ** 20}M, and no VM changes that while it runs`,
      )
    }
    this.cpus = cpus
    this.memoryBytes = memoryBytes
    return snapshot
  }

  private async runMachines(first: MachineOptions): Promise<ProcessEnd> {
    this.startsAgain = first.boot !== undefined
    for (let options = first; ; options = { ...first, ...this.again, restore: undefined }) {
      this.setState('starting')
      let machine: Machine
      try {
        machine = await Machine.create(options, {
          ended: (end) => this.ending.resolve(end),
          panicked: () => this.guestPanicked(),
          bitten: () => this.watchdogBit(),
          warning: (text) => this.warn(text),
        })
      } catch (error) {
        throw error instanceof BootError ? usageError(error.message) : error
      }
      if (this.resets === 0) await this.jail.enter()
      this.machine = machine
      this.serial.connect(machine.uart)
      machine.run()
      if (this.resets === 0) this.serial.whenQuiet(tidyRegularly(onNodeLoop, () => this.tidyThreads()))
      this.setState('running')
      const end = await this.ending.promise
      this.setState('stopping')
      this.serial.holdInput()
      await this.saving
      await machine.stop()
      this.machine = undefined
      this.serial.disconnect()
      const { startsAgain, panicked } = this
      const processEnd = processEndOf(
        this.quitting === undefined ? end : { kind: 'quit', detail: this.quitting },
        { startsAgain, panicked, noReboot: this.options.noReboot },
      )
      if (processEnd) return processEnd
      options.ram.clear()
      this.ending = Promise.withResolvers<End>()
      this.resets++
      const timedOut = end.kind === 'reset' && end.detail === WATCHDOG
      this.again = first.watchdog ? { watchdog: { timedOut } } : {}
      this.panicked = false
      this.control?.broadcast({ event: 'reset', reason: end.kind === 'reset' ? end.detail : 'asked for' })
    }
  }

  private async tidyThreads(): Promise<void> {
    if (this.state === 'running') await this.machine?.tidy()
    trimMalloc()
  }

  /** The guest hangs: told in any case, then what was asked for. */
  private watchdogBit(): void {
    const { watchdog } = this.options
    if (watchdog === undefined || !this.machine) return
    if (watchdog === 'event') {
      if (performance.now() - this.watchdogTold < WATCHDOG_TOLD_MS) return
      this.watchdogTold = performance.now()
    }
    this.warn(`the guest does not reload its watchdog (--watchdog ${watchdog})`)
    this.control?.broadcast({ event: 'watchdog', action: watchdog })
    if (watchdog === 'reset') this.ending.resolve({ kind: 'reset', detail: WATCHDOG })
    else if (watchdog === 'poweroff') this.ending.resolve({ kind: 'crashed', detail: WATCHDOG_OFF })
    else if (watchdog === 'pause' && this.state === 'running' && !this.saving) void this.pause()
  }

  private guestPanicked(): void {
    if (this.panicked) return
    this.panicked = true
    this.control?.broadcast({ event: 'panic' })
    this.broadcastState()
  }

  // Control.

  private async command(method: VmmMethod, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    const changesState = ['reset', 'pause', 'resume', 'powerdown', 'snapshot'].includes(method)
    // What was asked for before it comes before it, also when both came in one breath.
    if (changesState && this.pausing) await this.pausing
    if (this.saving && changesState) {
      throw new Error('a snapshot is being written: try again when it is done')
    }
    switch (method) {
      case 'status':
        return this.status()
      case 'quit':
        this.quit('control socket')
        return null
      case 'powerdown':
        this.runningMachine().pressPowerButton()
        return null
      case 'reset':
        this.runningMachine()
        this.ending.resolve({ kind: 'reset-asked' })
        return null
      case 'pause':
        await this.pause()
        return null
      case 'resume':
        if (this.state === 'running') return null
        this.runningMachine().resume()
        this.setState('running')
        return null
      case 'counters':
        return await this.runningMachine().counters()
      case 'balloon':
        this.runningMachine().setBalloon(parseBalloonParams(params, this.memoryBytes))
        return null
      case 'disk-changes':
        return commandChanges(this.disks, parseDiskChangesParams(params))
      case 'viewers':
      case 'viewer-control':
      case 'viewer-close':
      case 'screenshot':
        return commandDisplay(this.display, method, params)
      case 'snapshot':
        return await this.snapshot(parseSnapshotParams(params))
    }
  }

  /** Writes the whole machine to a folder. Whatever goes wrong, the guest goes on as before and no folder is there. */
  private async snapshot(params: VmmSnapshotParams): Promise<VmmSnapshotResult> {
    const { folder, after = 'keep', track, incremental } = params
    if (folder !== undefined && this.jail.thread !== undefined) {
      throw new Error('a jailed monitor makes no folders: start it with --snapshot-slot, or with --no-jail')
    }
    const machine = this.runningMachine()
    const wasRunning = this.state === 'running'
    const base = incremental ? this.tracked.base(machine, folder) : undefined
    const writer = folder === undefined ? this.slot : new FolderWriter(folder)
    if (!writer) throw new Error('name a folder: this VM was started without --snapshot-slot')
    const over = Promise.withResolvers<void>()
    this.saving = over.promise
    const goOn = (): void => {
      // Somebody may have switched it off meanwhile.
      if (!wasRunning || this.state !== 'paused') return
      machine.resume()
      this.setState('running')
    }
    try {
      const stoppedAt = performance.now()
      await machine.pause()
      if (wasRunning && this.state === 'running') this.setState('paused')
      let memoryBytes = 0
      // Whatever fails from here on, what KVM noted is used up.
      this.tracked.forget()
      const state = await machine.save(
        async (changed) => {
          // Holes of a whole one would show what was there before.
          if (incremental && !changed)
            throw new Error('the changed pages are not known: make a whole snapshot')
          memoryBytes = await writer.writeMemory(this.ram!, incremental ? changed : undefined)
        },
        { track },
      )
      if (after === 'keep') goOn()
      const pausedMs = performance.now() - stoppedAt
      const { cpus, memoryBytes: ramBytes } = this
      const disks = this.disks.map(({ path, readOnly, fd }) => ({
        path,
        readOnly,
        bytes: fstatSync(fd).size,
      }))
      const id = randomUUID()
      const document = { v: 1 as const, id, cpus, memoryBytes: ramBytes, disks, ...state }
      writer.finish(base === undefined ? document : { ...document, base })
      if (track) this.tracked.keep(machine, folder, id)
      if (after === 'quit') this.quit('snapshot')
      return { memoryBytes, pausedMs }
    } catch (error) {
      writer.abandon()
      goOn()
      throw error
    } finally {
      this.saving = undefined
      over.resolve()
    }
  }

  private async pause(): Promise<void> {
    if (this.state === 'paused') return
    this.pausing = this.runningMachine().pause()
    try {
      await this.pausing
    } finally {
      this.pausing = undefined
    }
    if (this.state === 'running') this.setState('paused')
  }

  private runningMachine(): Machine {
    if (!this.machine || (this.state !== 'running' && this.state !== 'paused')) {
      throw new Error(`the VM is ${this.state}: try again when it runs`)
    }
    return this.machine
  }

  private status(): VmmStatus {
    return {
      state: this.state,
      pid: this.jail.hostPid,
      cpus: this.cpus,
      memoryBytes: this.memoryBytes,
      startedAt: this.startedAt,
      resets: this.resets,
      panicked: this.panicked,
      serialViewers: this.hub.viewerCount,
    }
  }

  private setState(state: VmmStatus['state']): void {
    this.state = state
    this.broadcastState()
  }

  private broadcastState(): void {
    this.control?.broadcast({ event: 'state', status: this.status() } satisfies VmmEvent)
  }
}

const foldersOf = (shares: readonly ShareOption[] = []): 'none' | 'read' | 'write' =>
  shares.some(({ writable }) => writable) ? 'write' : shares.length > 0 ? 'read' : 'none'
