/** From the arguments of `hearth-vmm run` to a typed value, and back. */
import { parseSize } from '@hearth/shared/units'
import { BOOT_CHOICES, type BootChoice, isFirmwareChoice } from '../boot/choice.ts'
import { bootOrderText, parseBootOrder } from '../firmware/boot-order.ts'
import { jailArguments, parseJail } from '../jail/option.ts'
import { usageError } from '../sys/exit-error.ts'
import type { ShareOption } from '../virtio/fs/thread.ts'
import {
  diskArgument,
  limitArgument,
  parseDisk,
  parseDisplay,
  parseGenerationId,
  parseLimits,
  parseNet,
  parsePort,
  parseSerial,
  parseShare,
  parseVirtio,
  parseVsock,
  parseWatchdog,
  SCROLLBACK_LINE,
  shareArgument,
  unixPath,
} from './device-options.ts'
import {
  DEFAULTS,
  type DiskOption,
  MAX_CPUS,
  type NetOption,
  type PortOption,
  type RunOptions,
} from './run-options.ts'

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
/** As many functions are left in their slot, see PCI_FUNCTION. */
const MAX_SHARES = 4

/** Parses what follows `run`. Throws ExitError with code 1 and one line that says what is wrong. */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const single = new Map<string, string>()
  const disks: DiskOption[] = []
  const cdroms: string[] = []
  const modules: string[] = []
  const nets: NetOption[] = []
  const ports: PortOption[] = []
  const shares: ShareOption[] = []
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
    'screens',
    'control',
    'name',
    'generation-id',
    'watchdog',
    'vsock',
    'virtio',
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
    if (!known.has(option) && !['disk', 'cdrom', 'net', 'port', 'module', 'share'].includes(option)) {
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
    else if (option === 'share') shares.push(parseShare(value))
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
  const sameName = ports.find(({ name }, i) => ports.findIndex((port) => port.name === name) !== i)
  if (sameName) throw usageError(`--port: two ports have the name ${sameName.name}`)
  if (shares.length > MAX_SHARES)
    throw usageError(`${shares.length} shared folders are too many: at most ${MAX_SHARES}`)
  const sameTag = shares.find(({ tag }, i) => shares.findIndex((share) => share.tag === tag) !== i)
  if (sameTag) throw usageError(`--share: two folders have the tag ${sameTag.tag}`)
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
    ...(shares.length > 0 ? { shares } : {}),
    ...parseLimits(single),
    serial: parseSerial(single.get('serial')),
    serialLog: single.get('serial-log'),
    display: parseDisplay(single.get('display'), single.get('keyboard'), single.get('screens')),
    control: control === undefined ? undefined : unixPath('control', control),
    hugePages: flags.has('huge-pages'),
    prefault: flags.has('prefault'),
    ...(flags.has('keep-memory') ? { keepMemory: true } : {}),
    transitional: flags.has('transitional'),
    noReboot: flags.has('no-reboot'),
    name: single.get('name'),
    ...parseGenerationId(single.get('generation-id')),
    ...parseVirtio(single.get('virtio'), boot.kernel !== undefined || restore !== undefined, flags),
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
  for (const share of options.shares ?? []) args.push('--share', shareArgument(share))
  if (options.diskLimit) args.push('--disk-limit', limitArgument(options.diskLimit))
  if (options.netLimit) args.push('--net-limit', limitArgument(options.netLimit))
  const { serial } = options
  const line = serial.kind === 'unix' && serial.scrollbackLine ? SCROLLBACK_LINE : ''
  args.push('--serial', serial.kind === 'stdio' ? 'stdio' : `unix:${serial.path}${line}`)
  if (options.serialLog !== undefined) args.push('--serial-log', options.serialLog)
  if (options.display !== undefined) {
    args.push('--display', `unix:${options.display.path}`, '--keyboard', options.display.layout)
    if (options.display.screens !== undefined) args.push('--screens', String(options.display.screens))
  }
  if (options.control !== undefined) args.push('--control', `unix:${options.control}`)
  if (options.hugePages) args.push('--huge-pages')
  if (options.prefault) args.push('--prefault')
  if (options.keepMemory) args.push('--keep-memory')
  if (options.transitional) args.push('--transitional')
  if (options.noReboot) args.push('--no-reboot')
  if (options.name !== undefined) args.push('--name', options.name)
  if (options.mmio) args.push('--virtio', options.mmio.announced ? 'mmio,cmdline' : 'mmio')
  if (options.vsock !== undefined) args.push('--vsock', `${options.vsock.cid},unix:${options.vsock.path}`)
  if (options.watchdog !== undefined) args.push('--watchdog', options.watchdog)
  if (options.generationId !== undefined) args.push('--generation-id', options.generationId)
  args.push(...jailArguments(options.jail))
  return args
}
