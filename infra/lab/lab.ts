/**
 * The lab host: a machine under QEMU's software CPU with a faithful /dev/kvm inside, this machine's files at the same
 * paths, and a channel to run commands in it (docs/lab.md).
 */
import { randomBytes } from 'node:crypto'
import { chmod, copyFile, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { GIB } from '@hearth/shared/units'
import { cacheDirectory, repository } from '../lib/paths.ts'
import { Trouble } from '../lib/steps.ts'
import { Channel, type CommandOptions, commandScript, shellQuote } from './channel.ts'
import { type DataDisk, openDataDisk } from './data-disk.ts'
import { debianKernel } from './debian-kernel.ts'
import { canRouteToGuests, openGuestRoute } from './guest-route.ts'
import { labInitrd } from './initrd.ts'
import { LabError } from './lab-error.ts'
import { LabProcess, type RunOptions, type RunResult, runToEnd, type SpawnOptions } from './lab-process.ts'
import { Machine } from './machine.ts'
import type { OnProgress } from './progress.ts'
import { labQemu } from './qemu.ts'
import { runDirectory } from './run-directory.ts'
import { bootableKernel } from './vmlinux.ts'

export interface PortForward {
  /** Port on this machine. */
  readonly host: number
  /** Port inside the lab. */
  readonly guest: number
  /** Address on this machine; loopback when absent. */
  readonly hostAddress?: string
}

/** A folder seen inside at its own path as it is now, not as it was when first read. Read-only unless `writable`. */
export type Share = string | { readonly path: string; readonly writable: boolean }

export interface LabOptions {
  readonly cpus?: number
  readonly memoryBytes?: number
  readonly ports?: readonly PortForward[]
  readonly shares?: readonly Share[]
  readonly dataDisk?: DataDisk
  /** Makes guests' addresses inside reachable from this machine, where it may (root); see `Lab.guestSubnet`. */
  readonly routeToGuests?: boolean
  readonly cacheDir?: string
  readonly env?: Readonly<Record<string, string>>
  /** What the lab's own console prints. */
  readonly onConsole?: (text: string) => void
  readonly onProgress?: OnProgress
  /** How long it may take from power-on to the first command, in ms. */
  readonly bootTimeoutMs?: number
}

const CHANNEL_PORT = 5

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const cacheDir = options.cacheDir ?? cacheDirectory
  const onProgress = options.onProgress ?? (() => {})
  const progress = (step: string) => {
    onProgress({ step, detail: '' })
    return (detail: string) => onProgress({ step, detail })
  }
  await using cleanup = new AsyncDisposableStack()
  const qemu = await labQemu(cacheDir, progress('QEMU for the lab'))
  const kernelDetail = progress('Kernel for the lab')
  const kernel = await debianKernel(cacheDir, 'amd64', kernelDetail)
  const kernelImage = await bootableKernel(cacheDir, kernel, kernelDetail)
  progress("The lab's initial RAM disk")
  const initrd = await labInitrd(cacheDir, kernel)
  const disk = options.dataDisk && (await openDataDisk(options.dataDisk, progress("The lab's data disk")))
  if (disk) cleanup.use(disk)
  const route = options.routeToGuests && canRouteToGuests() ? cleanup.use(await openGuestRoute()) : undefined
  const directory = await runDirectory()
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))

  const shares = await resolveShares(options.shares ?? [])
  const secret = randomBytes(24).toString('hex')
  const settings = {
    CHANNEL_PORT: String(CHANNEL_PORT),
    MODULES: await realpath(kernel.modules),
    DATA_PATH: options.dataDisk?.path ?? '',
    LINK_ADDRESS: route?.labAddress ?? '',
  }
  const settingsShare = await mkdtemp(path.join(directory, 'settings-'))
  await writeSettings(settingsShare, settings, shares, secret)

  const detail = progress('Lab')
  const wantedCpus = options.cpus ?? 2
  const cpus = qemu.losesInterrupts ? 1 : wantedCpus
  if (cpus < wantedCpus) {
    detail(`QEMU ${qemu.version} loses interrupts: using one emulated CPU instead of ${wantedCpus}`)
  }
  detail(`starting under QEMU ${qemu.version}, Linux ${kernel.release}`)
  const machine = new Machine({
    ...{ qemu, kernel: kernelImage, initrd, cpus, directory },
    memoryBytes: options.memoryBytes ?? 4 * GIB,
    shares: [
      { tag: 'lab', path: settingsShare, writable: false },
      { tag: 'host', path: '/', writable: false },
      ...shares,
    ],
    dataDiskFile: options.dataDisk?.file,
    tapInterface: route?.interfaceName,
    onConsole: options.onConsole,
  })
  cleanup.use(machine)
  await machine.ready(options.bootTimeoutMs ?? 120_000)
  for (const port of options.ports ?? []) await machine.forward(port)
  const channel = new Channel(await machine.forwardAnyPort(CHANNEL_PORT), secret)
  machine.onDeath((error) => channel.fail(error))
  await channel.open()
  const lab = new Lab(machine, channel, {
    env: defaultEnvironment(options.env),
    guestSubnet: route?.subnet,
    mended: qemu.mended,
    cleanup: cleanup.move(),
  })
  if (disk?.grown) await lab.grow(options.dataDisk!.path)
  detail('running')
  return lab
}

export class Lab {
  /** Resolves when the lab has ended, however that came. */
  readonly ended: Promise<void>
  private readonly machine: Machine
  private readonly channel: Channel
  private readonly env: Readonly<Record<string, string>>
  private readonly cleanup: AsyncDisposableStack
  private stopping: Promise<void> | undefined
  /** The network guests must use to be reachable from this machine; undefined where there is no way to them. */
  readonly guestSubnet: string | undefined
  /** Whether its QEMU is without the faults that crash guests and end labs (docs/lab.md). */
  readonly mended: boolean

  constructor(
    machine: Machine,
    channel: Channel,
    rest: {
      readonly env: Readonly<Record<string, string>>
      readonly guestSubnet: string | undefined
      readonly mended: boolean
      readonly cleanup: AsyncDisposableStack
    },
  ) {
    this.machine = machine
    this.channel = channel
    this.env = rest.env
    this.guestSubnet = rest.guestSubnet
    this.mended = rest.mended
    this.cleanup = rest.cleanup
    this.ended = machine.ended
    // A lab that dies by itself leaves nothing behind either.
    void this.ended.then(() => this.release())
  }

  /** Of the QEMU process. */
  get pid(): number | undefined {
    return this.machine.pid
  }

  /** Runs a command to its end and collects what it prints. Rejects when the lab dies or the time is over. */
  run(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
    return runToEnd(this.spawn(command, args, { ...options, stdin: options.stdin !== undefined }), options)
  }

  /** Starts a command that goes on by itself; the streams are there when `started` resolves. */
  spawn(command: string, args: readonly string[] = [], options: SpawnOptions = {}): LabProcess {
    return new LabProcess(this.channel, this.script(command, args, options), options)
  }

  /** Makes a port of the lab reachable on this machine, on loopback unless another address is named. */
  async forward(hostPort: number, guestPort: number, hostAddress?: string): Promise<void> {
    await this.machine.forward({
      ...{ host: hostPort, guest: guestPort },
      ...(hostAddress === undefined ? {} : { hostAddress }),
    })
  }

  async unforward(hostPort: number, hostAddress?: string): Promise<void> {
    await this.machine.unforward(hostPort, hostAddress)
  }

  /** Stops the emulated CPU and lets it go on at once: to find out what a guest makes of that. */
  async kick(): Promise<void> {
    await this.machine.kick()
  }

  /** Ends every process inside, syncs, switches off; after `graceMs` QEMU is killed. Resolves when it is gone. */
  stop(graceMs = 20_000): Promise<void> {
    this.stopping ??= this.switchOff(graceMs)
    return this.stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Lets the file system of the data disk fill a disk that has become larger. */
  async grow(mountPoint: string): Promise<void> {
    const result = await this.run('xfs_growfs', [mountPoint])
    if (result.code !== 0) throw new LabError(`The lab's data disk could not be enlarged:\n${result.stderr}`)
  }

  private script(command: string, args: readonly string[], options: CommandOptions): string {
    return commandScript(command, args, {
      ...options,
      cwd: options.cwd ?? repository,
      env: { ...this.env, ...options.env },
    })
  }

  private async switchOff(graceMs: number): Promise<void> {
    this.machine.expectEnd()
    this.channel.powerOff()
    await this.machine.endWithin(graceMs)
    await this.release()
  }

  private async release(): Promise<void> {
    await this.cleanup.disposeAsync()
  }
}

interface ResolvedShare {
  readonly tag: string
  readonly path: string
  readonly writable: boolean
}

/** The repository and the others, outermost first, each folder once. */
async function resolveShares(shares: readonly Share[]): Promise<ResolvedShare[]> {
  const byPath = new Map<string, boolean>([[repository, false]])
  for (const share of shares) {
    const { path: wanted, writable } = typeof share === 'string' ? { path: share, writable: false } : share
    const real = await realpath(wanted).catch(() => {
      throw new Trouble(`The lab cannot share ${wanted}: there is no such folder.`)
    })
    if (/[\s\\]/.test(real)) throw new Trouble(`The lab cannot share ${real}: its path has a blank.`)
    byPath.set(real, (byPath.get(real) ?? false) || writable)
  }
  return [...byPath.entries()]
    .sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))
    .map(([sharePath, writable], index) => ({ tag: `share${index}`, path: sharePath, writable }))
}

async function writeSettings(
  folder: string,
  settings: Record<string, string>,
  shares: readonly ResolvedShare[],
  secret: string,
): Promise<void> {
  const guest = path.join(import.meta.dirname, 'guest')
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${shellQuote(value)}\n`)
  await writeFile(path.join(folder, 'settings'), assignments.join(''))
  const lines = shares.map((share) => `${share.tag} ${share.writable ? 'rw' : 'ro'} ${share.path}\n`)
  await writeFile(path.join(folder, 'shares'), lines.join(''))
  await writeFile(path.join(folder, 'cached'), `${path.join(repository, 'node_modules')}\n`)
  await writeFile(path.join(folder, 'secret'), `${secret}\n`, { mode: 0o600 })
  for (const file of ['start', 'channel']) {
    await copyFile(path.join(guest, file), path.join(folder, file))
    await chmod(path.join(folder, file), 0o700)
  }
}

function defaultEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = ['LANG', 'LC_ALL', 'TERM', 'TZ', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']
  const env: Record<string, string> = {
    HOME: process.getuid?.() === 0 ? '/root' : '/tmp',
    USER: 'root',
    LANG: 'C.UTF-8',
  }
  for (const name of kept) if (process.env[name] !== undefined) env[name] = process.env[name]
  return {
    ...env,
    PATH: `${path.join(repository, 'node_modules/.bin')}:${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
    // Programs that would set the machine up look at this: what is here is what there is.
    HEARTH_LAB_INSIDE: '1',
    ...extra,
  }
}
