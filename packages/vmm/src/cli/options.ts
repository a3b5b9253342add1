/** What `hearth-vmm run` is told: a typed value, its parser, and the way back to arguments. */

import { type LayoutName, layoutNames } from '@hearth/shared/keyboard-layouts'
import { parseSize } from '@hearth/shared/units'
import { type WatchdogAction, watchdogActions } from '@hearth/shared/watchdog'
import { BOOT_CHOICES, type BootChoice, isFirmwareChoice } from '../boot/choice.ts'
import { type BootDevice, bootOrderText, parseBootOrder } from '../firmware/boot-order.ts'
import { type JailOption, jailArguments, parseJail } from '../jail/option.ts'
import type { RateLimit } from '../rate/token-bucket.ts'
import { usageError } from '../sys/exit-error.ts'
import {
  checkSocketPath,
  parseGenerationId,
  parseVsock,
  parseWatchdog,
  type VsockOption,
} from './device-options.ts'

export type DiskFormat = 'raw' | 'qcow2'

export interface DiskOption {
  readonly path: string
  readonly readOnly: boolean
  /**
   * Raw by default, and never found out by looking: a guest may write what it likes to the beginning of its raw disk,
   * and a qcow2 header there would name any file of the host as its base.
   */
  readonly format?: DiskFormat | undefined
  /** What the guest finds it by (VIRTIO 1.2, 5.2.6, GET_ID): at most 20 of a-z, 0-9 and hyphens; `disk<n>` when absent. */
  readonly serial?: string | undefined
}

export interface NetOption {
  readonly kind: 'tap' | 'passt'
  /** The TAP device's name, or the path of passt's socket. */
  readonly target: string
  /** `02:…` in lower case; derived from the target when absent. */
  readonly mac?: string | undefined
}

/** A screen, keyboard and pointer, seen over RFB on a unix socket. */
export interface DisplayOption {
  readonly path: string
  /** The guest's keyboard layout, for viewers that send characters instead of keys. */
  readonly layout: LayoutName
}

/** A named channel: /dev/virtio-ports/<name> in the guest, a unix socket here. */
export interface PortOption {
  readonly name: string
  readonly path: string
}

export type SerialOption =
  | { readonly kind: 'stdio' }
  /** `scrollbackLine`: each connection begins with a line that says how much scrollback follows. */
  | { readonly kind: 'unix'; readonly path: string; readonly scrollbackLine?: boolean }

/** One VM. Sizes are bytes, paths are the caller's own (relative ones to its working folder). */
export interface RunOptions {
  /** Absent: firmware starts what is on the disks; with `restore`, the VM ends when its guest resets. */
  readonly kernel?: string | undefined
  /** Absent: `auto`. */
  readonly boot?: BootChoice | undefined
  /** UEFI's variables; they are forgotten with the process when absent. */
  readonly uefiVariables?: string | undefined
  /** Where the firmware's own log goes. */
  readonly firmwareLog?: string | undefined
  /** A snapshot's folder: the VM goes on from there. */
  readonly restore?: string | undefined
  /** A folder for snapshots that name none; its files are opened at the start, so that a jailed process can write them. */
  readonly snapshotSlot?: string | undefined
  readonly initrd?: string | undefined
  readonly commandLine: string
  /** See RamOptions of memory/guest-ram.ts. */
  readonly hugePages?: boolean | undefined
  readonly prefault?: boolean | undefined
  /** What the guest frees stays its own instead of going back to the host. */
  readonly keepMemory?: boolean | undefined
  /** Virtio devices have the legacy interface, too. Absent: for Multiboot kernels. */
  readonly transitional?: boolean | undefined
  /** For Multiboot: `FILE TEXT`, given to the kernel whole. */
  readonly modules?: readonly string[] | undefined
  /** Absent only with `restore`: what the snapshot has. Given, it must be the same. */
  readonly memoryBytes?: number | undefined
  readonly cpus?: number | undefined
  readonly disks: readonly DiskOption[]
  /** ISO images in CD-ROM drives. */
  readonly cdroms?: readonly string[] | undefined
  /** What firmware tries, the first first; absent: the disks, then the discs. */
  readonly bootOrder?: readonly BootDevice[] | undefined
  readonly nets: readonly NetOption[]
  readonly serial: SerialOption
  readonly serialLog?: string | undefined
  /** Absent: the VM has no display at all. */
  readonly display?: DisplayOption | undefined
  /** Path of the control socket. */
  readonly control?: string | undefined
  /** End with exit code 10 when the guest resets, instead of starting it again. */
  readonly noReboot: boolean
  readonly name?: string | undefined
  /** The VM generation ID: a UUID in lower case, or a new one even when restored. Absent: the snapshot's, or a new one. */
  readonly generationId?: string | undefined
  /** Sockets between programs of the guest and of the host. */
  readonly vsock?: VsockOption | undefined
  /** The guest has a watchdog, and this happens when it does not reload it any more. */
  readonly watchdog?: WatchdogAction | undefined
  /** Absent: what a process can do for itself. */
  readonly jail?: JailOption | undefined
  /** Channels to programs of the guest, by virtio-console. */
  readonly ports?: readonly PortOption[] | undefined
  /** Of each disk, and of each direction of each network. */
  readonly diskLimit?: RateLimit | undefined
  readonly netLimit?: RateLimit | undefined
}

export const DEFAULTS = { commandLine: 'console=ttyS0', memoryBytes: 512 * 2 ** 20, cpus: 1 } as const
export const MAX_CPUS = 32
const MIB = 2 ** 20
const MIN_MEMORY = 8 * MIB
const MAX_MEMORY = 2 ** 40
/** Options without a value. */
const FLAGS: readonly string[] = [
  'no-reboot',
  'no-jail',
  'huge-pages',
  'prefault',
  'keep-memory',
  'transitional',
]
const MAX_DISKS = 16
const MAX_NETS = 7
const MAX_PORTS = 4
const MAX_CDROMS = 4
const SCROLLBACK_LINE = ',scrollback-line'
const DISK_SUFFIX = /,(?:ro|format=([^,]*)|serial=([a-z0-9-]{1,20}))$/
/** IFNAMSIZ has 16 bytes with the final zero. */
const TAP_NAME = /^[^\s/:]{1,15}$/
const LIMIT = /^(?:bytes=(\w+(?:\.\d+\w?)?))?,?(?:ops=(\d{1,9}))?(?:,burst=(\d{1,3}))?$/
const PORT = /^([\w.-]{1,64}),unix:(.+)$/
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/

export const USAGE = `Usage: hearth-vmm run [--kernel FILE] [OPTION]…
       hearth-vmm wait
Runs one virtual machine until it powers off. "wait" gets everything ready for one, says so on standard error, and
runs it when a line {"run": ["--kernel", …], "log": "/FILE"} comes on standard input ("log" may be left out).

  --kernel FILE               Linux bzImage (vmlinuz) or x86-64 ELF kernel (vmlinux); without one, firmware
                              starts what is on the first disk that can be started
  --boot HOW                  ${BOOT_CHOICES.join(', ')}
                              (default: auto, by looking at the kernel or the first disk)
  --uefi-vars FILE            where UEFI keeps its variables; made when it is not there
  --firmware-log FILE         what the firmware says of itself
  --restore FOLDER            go on from a snapshot instead of booting; give the same disks and networks
                              (--kernel is then only needed for the guest's next reset)
  --snapshot-slot FOLDER      where the control method "snapshot" writes when it names no folder
  --initrd FILE               initial RAM disk
  --module 'FILE [TEXT]'      a Multiboot module; may be given several times
  --cmdline TEXT              kernel command line (default: ${DEFAULTS.commandLine})
  --memory SIZE               for example 512M or 2G (default: 512M)
  --huge-pages                memory from the host's reserved pages of 2 MiB (sysctl vm.nr_hugepages)
  --prefault                  take all of the memory at the start
  --keep-memory               memory that the guest frees stays with it instead of going back to the host
  --transitional              virtio devices with the legacy interface, too (Multiboot kernels have it anyway)
  --cpus N                    1 to ${MAX_CPUS} (default: 1)
  --disk FILE[,ro][,format=raw|qcow2][,serial=NAME]
                              a disk (default: raw); may be given several times. A qcow2 image has to be one
                              of Hearth's own kind; the files it is based on are opened too
  --cdrom FILE                an ISO image in a CD-ROM drive; may be given several times
  --boot-order LIST           what firmware tries, for example cdrom,disk (default: disks, then CD-ROMs)
  --net tap:NAME[,mac=MAC]    a TAP device; may be given several times
  --net passt:SOCKET[,mac=MAC]
                              the socket of a running passt
  --disk-limit bytes=SIZE,ops=N[,burst=SECONDS]
                              what each disk may do in a second, or one of both; what it left unused in SECONDS
                              (default: 1) it may do at once
  --net-limit bytes=SIZE,ops=N[,burst=SECONDS]
                              the same for what each network sends, and for what it receives (ops: packets)
  --serial stdio              serial console on this terminal (default); Ctrl-A x ends the machine
  --serial unix:PATH          serial console on a socket, for several viewers at once; with ,scrollback-line each
                              connection begins with a line of JSON that says how much scrollback comes first
  --serial-log FILE           keep the console's output (1 MiB, and one file before that)
  --display unix:PATH         a screen with keyboard and pointer, as VNC (RFB) on a socket
  --keyboard LAYOUT           layout for VNC viewers that send characters: ${layoutNames.join(', ')} (default: us)
  --port NAME,unix:PATH       a channel to /dev/virtio-ports/NAME of the guest, for one program at a time; for example
                              org.qemu.guest_agent.0; may be given several times
  --control unix:PATH         control socket
  --no-reboot                 end when the guest resets
  --vsock CID,unix:PATH       sockets (AF_VSOCK): programs reach the guest's port n by connecting to PATH and writing
                              "CONNECT n"; the guest reaches port n of host 2 where one listens at PATH_n
  --watchdog ACTION           a watchdog timer (Intel 6300ESB), and what follows when the guest hangs:
                              ${watchdogActions.join(', ')}
  --generation-id UUID|new    tells the guest whether a twin of it may exist: another one is given to a copy or an
                              older state (default: the snapshot's with --restore, else a new one)
  --name TEXT                 shown in the process list
  --jail namespaces[,uid=N][,net=FD][,cgroup=FOLDER]
                              for the agent: empty the root, become the user; in namespaces made before
  --no-jail                   no system call filter and no Landlock, for development only

Exit codes: 0 powered off, 1 bad command line, 2 the host refuses, 10 reset with --no-reboot,
11 the guest crashed, 70 internal error.
`

/** Parses what follows `run`. Throws ExitError with code 1 and one line that says what is wrong. */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const single = new Map<string, string>()
  const disks: DiskOption[] = []
  const cdroms: string[] = []
  const modules: string[] = []
  const nets: NetOption[] = []
  const ports: PortOption[] = []
  const flags = new Set<string>()
  const known = new Set([
    'kernel',
    'restore',
    'snapshot-slot',
    'boot',
    'boot-order',
    'uefi-vars',
    'firmware-log',
    'initrd',
    'cmdline',
    'memory',
    'cpus',
    'serial',
    'serial-log',
    'display',
    'keyboard',
    'control',
    'name',
    'generation-id',
    'watchdog',
    'vsock',
    'jail',
    'disk-limit',
    'net-limit',
  ])

  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (!arg.startsWith('--')) {
      throw usageError(`"${arg}" stands alone: every option begins with -- (see hearth-vmm --help)`)
    }
    const equals = arg.indexOf('=')
    const option = equals < 0 ? arg.slice(2) : arg.slice(2, equals)
    if (FLAGS.includes(option)) {
      if (equals >= 0) throw usageError(`--${option} takes no value`)
      flags.add(option)
      continue
    }
    if (!known.has(option) && !['disk', 'cdrom', 'net', 'port', 'module'].includes(option)) {
      throw usageError(`there is no option --${option} (see hearth-vmm --help)`)
    }
    const value = equals < 0 ? args[++i] : arg.slice(equals + 1)
    // The command line alone may be empty or begin with dashes.
    if (value === undefined || (option !== 'cmdline' && (value === '' || value.startsWith('--')))) {
      throw usageError(`--${option} needs a value (see hearth-vmm --help)`)
    }
    if (value.includes('\0')) throw usageError(`--${option} has a zero byte in its value`)
    if (option === 'disk') disks.push(parseDisk(value))
    else if (option === 'cdrom') cdroms.push(value)
    else if (option === 'module') modules.push(value)
    else if (option === 'net') nets.push(parseNet(value))
    else if (option === 'port') ports.push(parsePort(value))
    else if (single.has(option)) throw usageError(`--${option} is given twice`)
    else single.set(option, value)
  }

  const restore = single.get('restore')
  const boot = parseBoot(single, disks.length, cdroms.length)
  if (modules.length > 0 && boot.kernel === undefined) throw usageError('--module needs --kernel')
  if (cdroms.length > MAX_CDROMS)
    throw usageError(`${cdroms.length} CD-ROMs are too many: at most ${MAX_CDROMS}`)
  if (disks.length > MAX_DISKS) throw usageError(`${disks.length} disks are too many: at most ${MAX_DISKS}`)
  if (nets.length > MAX_NETS) throw usageError(`${nets.length} networks are too many: at most ${MAX_NETS}`)
  const paths = [...disks.map((disk) => disk.path), ...cdroms]
  const twice = paths.find((path, i) => paths.indexOf(path) !== i)
  if (twice !== undefined)
    throw usageError(`--${cdroms.includes(twice) ? 'cdrom' : 'disk'} ${twice} is given twice`)
  if (ports.length > MAX_PORTS) throw usageError(`${ports.length} ports are too many: at most ${MAX_PORTS}`)
  const control = single.get('control')
  const jail = single.get('jail')
  if (flags.has('no-jail') && jail !== undefined) throw usageError('--jail and --no-jail exclude each other')
  return {
    ...boot,
    ...(modules.length > 0 ? { modules } : {}),
    restore,
    snapshotSlot: single.get('snapshot-slot'),
    initrd: single.get('initrd'),
    commandLine: single.get('cmdline') ?? DEFAULTS.commandLine,
    memoryBytes: parseMemory(single.get('memory'), restore),
    cpus: parseCpus(single.get('cpus'), restore),
    disks,
    ...(cdroms.length > 0 ? { cdroms } : {}),
    nets,
    ports,
    ...parseLimits(single),
    serial: parseSerial(single.get('serial')),
    serialLog: single.get('serial-log'),
    display: parseDisplay(single.get('display'), single.get('keyboard')),
    control: control === undefined ? undefined : unixPath('control', control),
    hugePages: flags.has('huge-pages'),
    prefault: flags.has('prefault'),
    ...(flags.has('keep-memory') ? { keepMemory: true } : {}),
    transitional: flags.has('transitional'),
    noReboot: flags.has('no-reboot'),
    name: single.get('name'),
    ...parseGenerationId(single.get('generation-id')),
    ...parseVsock(single.get('vsock')),
    ...parseWatchdog(single.get('watchdog')),
    jail: flags.has('no-jail')
      ? { kind: 'none' }
      : jail === undefined
        ? { kind: 'process' }
        : parseJail(jail),
  }
}

function parseBoot(
  single: ReadonlyMap<string, string>,
  disks: number,
  cdroms: number,
): Pick<RunOptions, 'kernel' | 'boot' | 'bootOrder' | 'uefiVariables' | 'firmwareLog'> {
  const text = single.get('boot') ?? 'auto'
  const boot = BOOT_CHOICES.find((choice) => choice === text)
  if (boot === undefined) throw usageError(`--boot ${text}: give one of ${BOOT_CHOICES.join(', ')}`)
  const kernel = single.get('kernel')
  if (kernel !== undefined && isFirmwareChoice(boot)) {
    throw usageError(`--boot ${boot} starts what is on the disks: leave --kernel away`)
  }
  if (kernel === undefined) checkWithoutKernel(single, boot, disks + cdroms)
  const uefiVariables = single.get('uefi-vars')
  const firmwareLog = single.get('firmware-log')
  if (kernel !== undefined && (uefiVariables ?? firmwareLog) !== undefined) {
    throw usageError('--uefi-vars and --firmware-log are for machines with firmware: leave --kernel away')
  }
  if (boot === 'bios' && uefiVariables !== undefined) throw usageError('--uefi-vars needs --boot uefi')
  const order = single.get('boot-order')
  const bootOrder = order === undefined ? undefined : parseBootOrder(order)
  if (order !== undefined) {
    if (bootOrder === undefined) throw usageError(`--boot-order ${order}: write for example cdrom,disk,disk1`)
    const lost = bootOrder.find(({ kind, index }) => index >= (kind === 'disk' ? disks : cdroms))
    if (lost) throw usageError(`--boot-order ${order}: there is no ${bootOrderText([lost])}`)
    if (kernel !== undefined)
      throw usageError('--boot-order is for machines with firmware: leave --kernel away')
  }
  return { kernel, boot, bootOrder, uefiVariables, firmwareLog }
}

function checkWithoutKernel(single: ReadonlyMap<string, string>, boot: BootChoice, disks: number): void {
  if (boot !== 'auto' && !isFirmwareChoice(boot)) throw usageError(`--boot ${boot} needs --kernel`)
  // What a snapshot goes on from is in the snapshot; these only matter at the guest's next reset.
  if (single.has('restore')) return
  for (const option of ['initrd', 'cmdline']) {
    if (!single.has(option)) continue
    throw usageError(`--${option} belongs to a kernel: give --kernel, or leave it to the disk's boot loader`)
  }
  if (disks > 0) return
  throw usageError(
    'there is nothing to boot: give --kernel, or a --disk or --cdrom with a system on it (see hearth-vmm --help)',
  )
}

function parseMemory(text: string | undefined, restore: string | undefined): number | undefined {
  if (text === undefined) return restore === undefined ? DEFAULTS.memoryBytes : undefined
  const bytes = parseSize(text)
  if (bytes === undefined) throw usageError(`--memory ${text} is not a size: write for example 512M or 2G`)
  if (bytes < MIN_MEMORY || bytes > MAX_MEMORY) {
    throw usageError(`--memory ${text} is out of range: a VM has 8M to 1T`)
  }
  if (bytes % MIB !== 0) throw usageError(`--memory ${text} is not a whole number of MiB`)
  return bytes
}

function parseCpus(text: string | undefined, restore: string | undefined): number | undefined {
  if (text === undefined) return restore === undefined ? DEFAULTS.cpus : undefined
  const cpus = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (cpus < 1 || cpus > MAX_CPUS) throw usageError(`--cpus ${text}: give a number from 1 to ${MAX_CPUS}`)
  return cpus
}

function parseDisk(text: string): DiskOption {
  let path = text
  let readOnly = false
  let format: DiskFormat | undefined
  let serial: string | undefined
  // From the end, because a file's name may have commas.
  for (let match = DISK_SUFFIX.exec(path); match; match = DISK_SUFFIX.exec(path)) {
    path = path.slice(0, match.index)
    const value = match[1]
    if (match[2] !== undefined) serial = match[2]
    else if (value === undefined) readOnly = true
    else if (value !== 'raw' && value !== 'qcow2') {
      throw usageError(`--disk ${text}: there is no format "${value}": raw or qcow2`)
    } else if (format !== undefined && format !== value) {
      throw usageError(`--disk ${text}: give one format`)
    } else format = value
  }
  if (path === '') throw usageError(`--disk ${text}: the file is missing`)
  return {
    path,
    readOnly,
    ...(format === undefined ? {} : { format }),
    ...(serial === undefined ? {} : { serial }),
  }
}

/** The arguments' form of a disk, which `parseDisk` reads back. */
function diskArgument({ path, readOnly, format, serial }: DiskOption): string {
  const suffix = `${readOnly ? ',ro' : ''}${format === undefined ? '' : `,format=${format}`}`
  return `${path}${suffix}${serial === undefined ? '' : `,serial=${serial}`}`
}

function parseNet(text: string): NetOption {
  const match = /^(tap|passt):(.*?)(?:,mac=([^,]*))?$/.exec(text)
  if (!match) throw usageError(`--net ${text}: write tap:NAME or passt:SOCKET, then ,mac=… if you want`)
  const kind = match[1] as 'tap' | 'passt'
  const target = match[2]!
  if (kind === 'tap' && !TAP_NAME.test(target)) {
    throw usageError(`--net ${text}: a TAP device's name has 1 to 15 characters`)
  }
  if (kind === 'passt') checkSocketPath('net', target)
  const mac = match[3]?.toLowerCase()
  if (
    mac !== undefined &&
    (!MAC.test(mac) || Number.parseInt(mac.slice(0, 2), 16) & 1 || mac === '00:00:00:00:00:00')
  ) {
    throw usageError(
      `--net ${text}: "${match[3]}" is not the address of one network card (like 02:00:00:12:34:56)`,
    )
  }
  return { kind, target, mac }
}

function parsePort(text: string): PortOption {
  const match = PORT.exec(text)
  if (!match)
    throw usageError(
      `--port ${text}: write NAME,unix:PATH, for example org.qemu.guest_agent.0,unix:/run/agent`,
    )
  checkSocketPath('port', match[2]!)
  return { name: match[1]!, path: match[2]! }
}

function parseLimits(single: ReadonlyMap<string, string>): Pick<RunOptions, 'diskLimit' | 'netLimit'> {
  const limit = (option: string): RateLimit | undefined => {
    const text = single.get(option)
    if (text === undefined) return undefined
    const match = LIMIT.exec(text)
    const bytesPerSecond = match?.[1] === undefined ? undefined : parseSize(match[1])
    const operationsPerSecond = match?.[2] === undefined ? undefined : Number(match[2])
    const burstSeconds = match?.[3] === undefined ? undefined : Number(match[3])
    const given = [bytesPerSecond, operationsPerSecond].filter((value) => value !== undefined)
    if (
      !match ||
      given.length === 0 ||
      given.includes(0) ||
      burstSeconds === 0 ||
      (match[1] && !bytesPerSecond)
    ) {
      throw usageError(
        `--${option} ${text}: write bytes=SIZE,ops=N, or one of them, each a second; for example bytes=20M`,
      )
    }
    return { bytesPerSecond, operationsPerSecond, ...(burstSeconds === undefined ? {} : { burstSeconds }) }
  }
  const [diskLimit, netLimit] = [limit('disk-limit'), limit('net-limit')]
  return { ...(diskLimit && { diskLimit }), ...(netLimit && { netLimit }) }
}

const limitArgument = ({ bytesPerSecond, operationsPerSecond, burstSeconds }: RateLimit): string =>
  [
    ...(bytesPerSecond === undefined ? [] : [`bytes=${bytesPerSecond}`]),
    ...(operationsPerSecond === undefined ? [] : [`ops=${operationsPerSecond}`]),
    ...(burstSeconds === undefined ? [] : [`burst=${burstSeconds}`]),
  ].join(',')

function parseSerial(text: string | undefined): SerialOption {
  if (text === undefined || text === 'stdio') return { kind: 'stdio' }
  const scrollbackLine = text.endsWith(SCROLLBACK_LINE)
  const path = unixPath('serial', scrollbackLine ? text.slice(0, -SCROLLBACK_LINE.length) : text)
  return { kind: 'unix', path, ...(scrollbackLine ? { scrollbackLine } : {}) }
}

function parseDisplay(text: string | undefined, keyboard: string | undefined): DisplayOption | undefined {
  if (text === undefined) {
    if (keyboard !== undefined)
      throw usageError('--keyboard needs --display: there is no keyboard without a screen')
    return undefined
  }
  const layout = layoutNames.find((name) => name === (keyboard ?? 'us'))
  if (layout === undefined) throw usageError(`--keyboard ${keyboard}: known are ${layoutNames.join(', ')}`)
  return { path: unixPath('display', text), layout }
}

function unixPath(option: string, text: string): string {
  if (!text.startsWith('unix:')) {
    throw usageError(`--${option} ${text}: write unix:PATH${option === 'serial' ? ' or stdio' : ''}`)
  }
  const path = text.slice(5)
  checkSocketPath(option, path)
  return path
}

/** The arguments that make `parseRunOptions` give `options` back, beginning with `run`. */
export function vmmCommandLine(options: RunOptions): string[] {
  const args = ['run']
  if (options.kernel !== undefined) args.push('--kernel', options.kernel)
  if (options.restore !== undefined) args.push('--restore', options.restore)
  if (options.snapshotSlot !== undefined) args.push('--snapshot-slot', options.snapshotSlot)
  if (options.boot !== undefined && options.boot !== 'auto') args.push('--boot', options.boot)
  if (options.uefiVariables !== undefined) args.push('--uefi-vars', options.uefiVariables)
  if (options.firmwareLog !== undefined) args.push('--firmware-log', options.firmwareLog)
  if (options.initrd !== undefined) args.push('--initrd', options.initrd)
  if (options.kernel !== undefined) args.push('--cmdline', options.commandLine)
  for (const module of options.modules ?? []) args.push('--module', module)
  if (options.memoryBytes !== undefined) args.push('--memory', `${options.memoryBytes / MIB}M`)
  if (options.cpus !== undefined) args.push('--cpus', String(options.cpus))
  for (const disk of options.disks) args.push('--disk', diskArgument(disk))
  for (const path of options.cdroms ?? []) args.push('--cdrom', path)
  if (options.bootOrder) args.push('--boot-order', bootOrderText(options.bootOrder))
  for (const net of options.nets) {
    args.push('--net', `${net.kind}:${net.target}${net.mac === undefined ? '' : `,mac=${net.mac}`}`)
  }
  for (const { name, path } of options.ports ?? []) args.push('--port', `${name},unix:${path}`)
  if (options.diskLimit) args.push('--disk-limit', limitArgument(options.diskLimit))
  if (options.netLimit) args.push('--net-limit', limitArgument(options.netLimit))
  const { serial } = options
  const line = serial.kind === 'unix' && serial.scrollbackLine ? SCROLLBACK_LINE : ''
  args.push('--serial', serial.kind === 'stdio' ? 'stdio' : `unix:${serial.path}${line}`)
  if (options.serialLog !== undefined) args.push('--serial-log', options.serialLog)
  if (options.display !== undefined) {
    args.push('--display', `unix:${options.display.path}`, '--keyboard', options.display.layout)
  }
  if (options.control !== undefined) args.push('--control', `unix:${options.control}`)
  if (options.hugePages) args.push('--huge-pages')
  if (options.prefault) args.push('--prefault')
  if (options.keepMemory) args.push('--keep-memory')
  if (options.transitional) args.push('--transitional')
  if (options.noReboot) args.push('--no-reboot')
  if (options.name !== undefined) args.push('--name', options.name)
  if (options.vsock !== undefined) args.push('--vsock', `${options.vsock.cid},unix:${options.vsock.path}`)
  if (options.watchdog !== undefined) args.push('--watchdog', options.watchdog)
  if (options.generationId !== undefined) args.push('--generation-id', options.generationId)
  args.push(...jailArguments(options.jail))
  return args
}
