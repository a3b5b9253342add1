/** The lab's QEMU process: its arguments, its console, its end. Dies with the process that started it. */
import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { MIB } from '@hearth/shared/units'
import { freePort } from '../lib/free-port.ts'
import { ConsoleTail } from './console-tail.ts'
import { LabError } from './lab-error.ts'
import type { Qemu } from './qemu.ts'
import { Qmp } from './qmp.ts'

export interface MachineOptions {
  readonly qemu: Qemu
  readonly kernel: string
  readonly initrd: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly shares: readonly { readonly tag: string; readonly path: string; readonly writable: boolean }[]
  readonly dataDiskFile: string | undefined
  /** A TAP interface of this machine, for the lab's second network card. */
  readonly tapInterface: string | undefined
  /** For the control socket. */
  readonly directory: string
  readonly onConsole: ((text: string) => void) | undefined
}

/** What `guest/start` prints when the command channel listens. */
const READY = 'hearth-lab: ready'

export class Machine {
  readonly ended: Promise<void>
  private readonly child: ChildProcess
  private readonly tail = new ConsoleTail()
  private readonly qmpPath: string
  private readonly readyMark = Promise.withResolvers<void>()
  private readonly deathListeners: ((error: Error) => void)[] = []
  private qmp: Qmp | undefined
  private death: LabError | undefined
  private endExpected = false

  constructor(options: MachineOptions) {
    this.qmpPath = path.join(options.directory, 'qmp')
    const [program, ...first] = options.qemu.command
    const args = [...first, ...qemuArguments(options, this.qmpPath)]
    // setpriv: the kernel kills QEMU when we die, however we die. A session of its own: a terminal's Ctrl-C
    // must reach us alone, so that the lab is stopped in order.
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.qemu.env },
    })
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => {
        this.tail.add(text)
        options.onConsole?.(text)
        if (this.tail.includes(READY)) this.readyMark.resolve()
      })
    }
    this.readyMark.promise.catch(() => {})
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.die(`QEMU did not start: ${error.message}`)
        resolve()
      })
      // 'close' comes when the console is read to its end, so that the error can quote it.
      this.child.once('close', (code, signal) => {
        this.die(`The lab ended (QEMU ${signal ? `was ended by ${signal}` : `exited with code ${code}`}).`)
        resolve()
      })
    })
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  /** Resolves when the lab answers; rejects with its console's end when it does not in time. */
  async ready(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.readyMark.reject(this.error(`The lab was not up after ${Math.round(timeoutMs / 1000)} s.`))
    }, timeoutMs)
    try {
      await this.readyMark.promise
    } finally {
      clearTimeout(timer)
    }
    this.qmp = await Qmp.connect(this.qmpPath)
  }

  onDeath(listener: (error: Error) => void): void {
    if (this.death) listener(this.death)
    else this.deathListeners.push(listener)
  }

  async forward(port: { host: number; guest: number; hostAddress?: string }): Promise<void> {
    const problem = await this.hostForward(port)
    if (problem) {
      throw new LabError(
        `Port ${port.host} of this machine cannot be forwarded to the lab's port ${port.guest}: it is taken, or not allowed (${problem}). Choose another one.`,
      )
    }
  }

  async unforward(hostPort: number, hostAddress = '127.0.0.1'): Promise<void> {
    await this.control.monitor(`hostfwd_remove net0 tcp:${hostAddress}:${hostPort}`)
  }

  /** Forwards some free port of this machine's loopback, and returns it. */
  async forwardAnyPort(guest: number): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      const host = await freePort()
      const problem = await this.hostForward({ host, guest })
      if (!problem) return host
      // Somebody may have taken it in between.
      if (attempt === 10)
        throw new LabError(`No port of this machine can be forwarded to the lab: ${problem}`)
    }
  }

  /** Stops the emulated CPU and lets it go on at once: it is kicked out of what it runs, and no interrupt comes with it. */
  async kick(): Promise<void> {
    await this.control.execute('stop')
    await this.control.execute('cont')
  }

  /** The end that comes now is wanted. */
  expectEnd(): void {
    this.endExpected = true
  }

  /** Waits for QEMU's end; kills it after `graceMs`. */
  async endWithin(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs)
    await this.ended
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.endExpected = true
    this.child.kill('SIGKILL')
    await this.ended
    this.qmp?.close()
  }

  private get control(): Qmp {
    if (!this.qmp || this.death) throw this.death ?? new LabError('The lab is not up yet.')
    return this.qmp
  }

  /** Returns what QEMU has to say against it; empty when it is done. */
  private hostForward(port: { host: number; guest: number; hostAddress?: string }): Promise<string> {
    const address = port.hostAddress ?? '127.0.0.1'
    return this.control.monitor(`hostfwd_add net0 tcp:${address}:${port.host}-:${port.guest}`)
  }

  private error(message: string): LabError {
    return new LabError(`${message} Its console ended with:\n${this.tail.lines()}`)
  }

  private die(message: string): void {
    this.death ??= this.endExpected ? new LabError('The lab was stopped.') : this.error(message)
    this.readyMark.reject(this.death)
    for (const listener of this.deathListeners.splice(0)) listener(this.death)
  }
}

function qemuArguments(options: MachineOptions, qmpPath: string): string[] {
  const memory = Math.floor(options.memoryBytes / MIB)
  const args = [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'EPYC-Rome,+svm,+npt'],
    ...['-smp', String(options.cpus), '-m', `${memory}M`],
    ...['-kernel', options.kernel, '-initrd', options.initrd],
    ...['-append', 'console=ttyS0 quiet panic=-1 mitigations=off'],
    ...['-serial', 'stdio', '-qmp', `unix:${optionValue(qmpPath)},server=on,wait=off`],
    ...['-netdev', 'user,id=net0,ipv6=off', '-device', 'virtio-net-pci,netdev=net0,romfile='],
    ...['-device', 'virtio-rng-pci', '-rtc', 'base=utc'],
  ]
  if (options.tapInterface !== undefined) {
    args.push(
      ...['-netdev', `tap,id=net1,ifname=${options.tapInterface},script=no,downscript=no`],
      ...['-device', 'virtio-net-pci,netdev=net1,romfile='],
    )
  }
  for (const share of options.shares) {
    const access = share.writable ? 'off' : 'on'
    args.push(
      '-virtfs',
      `local,path=${optionValue(share.path)},mount_tag=${share.tag},security_model=none,readonly=${access},multidevs=remap`,
    )
  }
  if (options.dataDiskFile !== undefined) {
    args.push(
      ...['-drive', `file=${optionValue(options.dataDiskFile)},format=raw,if=none,id=data,discard=unmap`],
      ...['-device', 'virtio-blk-pci,drive=data'],
    )
  }
  return args
}

/** QEMU's options are separated by commas; a comma in a value is written twice. */
const optionValue = (value: string): string => value.replaceAll(',', ',,')
