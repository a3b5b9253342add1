/** Options of single devices: their values, parsed. Each throws ExitError with code 1 and one line that says what to write. */
import { layoutNames } from '@hearth/shared/keyboard-layouts'
import { maxScreens } from '@hearth/shared/screens'
import { parseSize } from '@hearth/shared/units'
import { type WatchdogAction, watchdogActions } from '@hearth/shared/watchdog'
import type { RateLimit } from '../rate/token-bucket.ts'
import { usageError } from '../sys/exit-error.ts'
import type { ShareOption } from '../virtio/fs/thread.ts'
import {
  type DiskCache,
  type DiskFormat,
  type DiskOption,
  type DisplayOption,
  diskCaches,
  type MmioOption,
  type NetOption,
  type PortOption,
  type RunOptions,
  type SerialOption,
  type VsockOption,
} from './run-options.ts'

/** sockaddr_un has 108 bytes with the final zero. */
const MAX_SOCKET_PATH = 107
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const DISK_SUFFIX = /,(?:ro|format=([^,]*)|serial=([a-z0-9-]{1,20})|cache=([^,]*))$/
/** IFNAMSIZ has 16 bytes with the final zero. */
const TAP_NAME = /^[^\s/:]{1,15}$/
const LIMIT = /^(?:bytes=(\w+(?:\.\d+\w?)?))?,?(?:ops=(\d{1,9}))?(?:,burst=(\d{1,3}))?$/
const PORT = /^([\w.-]{1,64}),unix:(.+)$/
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/
export const SCROLLBACK_LINE = ',scrollback-line'
const VSOCK = /^(\d{1,10}),unix:(.+)$/
/** VIRTIO 1.2, section 5.10.4. */
const GUEST_CIDS = { first: 3, last: 0xffff_fffe } as const
/** What a port of the host puts behind the socket's path. */
const PORT_SUFFIX_BYTES = '_4294967295'.length

/** `hasKernel`: no firmware, which would not find them. */
export function parseVirtio(
  text: string | undefined,
  hasKernel: boolean,
  flags: ReadonlySet<string>,
): { mmio?: MmioOption } {
  if (text === undefined || text === 'pci') return {}
  if (text !== 'mmio' && text !== 'mmio,cmdline') {
    throw usageError(`--virtio ${text}: write pci, mmio or mmio,cmdline`)
  }
  if (!hasKernel) throw usageError('--virtio mmio needs --kernel: firmware looks for its disks on PCI')
  if (flags.has('transitional'))
    throw usageError('--transitional is for virtio over PCI: leave one of them away')
  return { mmio: { announced: text !== 'mmio' } }
}

/** `reserved`: bytes that are to follow the path. */
function checkSocketPath(option: string, path: string, reserved = 0): void {
  if (path === '') throw usageError(`--${option}: the socket's path is missing`)
  const most = MAX_SOCKET_PATH - reserved
  if (Buffer.byteLength(path) > most) {
    throw usageError(`--${option} ${path}: a socket's path has at most ${most} bytes here`)
  }
}

export function parseGenerationId(text: string | undefined): { generationId?: string } {
  if (text === undefined) return {}
  const generationId = text.toLowerCase()
  if (generationId !== 'new' && !UUID.test(generationId)) {
    throw usageError(`--generation-id ${text}: write new, or a UUID like the one uuidgen prints`)
  }
  return { generationId }
}

export function parseWatchdog(text: string | undefined): { watchdog?: WatchdogAction } {
  if (text === undefined) return {}
  const watchdog = watchdogActions.find((action) => action === text)
  if (watchdog === undefined)
    throw usageError(`--watchdog ${text}: give one of ${watchdogActions.join(', ')}`)
  return { watchdog }
}

export function parseVsock(text: string | undefined): { vsock?: VsockOption } {
  if (text === undefined) return {}
  const [, digits, path] = VSOCK.exec(text) ?? []
  const cid = Number(digits)
  if (path === undefined || !(cid >= GUEST_CIDS.first && cid <= GUEST_CIDS.last)) {
    throw usageError(`--vsock ${text}: write CID,unix:PATH with a number from ${GUEST_CIDS.first} on`)
  }
  checkSocketPath('vsock', path, PORT_SUFFIX_BYTES)
  return { vsock: { cid, path } }
}

/** From the end, because a folder's name may have commas. */
const SHARE_SUFFIX = /,(?:(write)|tag=([^,]*)|uid=(\d{1,10}))$/
/** A name for `mount`, within the 36 bytes of VIRTIO 1.2, section 5.11.4. */
const SHARE_TAG = /^[\w.-]{1,36}$/
/** The first user of a guest, as distributions make it. */
const FIRST_USER = 1000
const MAX_USER = 2 ** 32 - 2

export function parseShare(text: string): ShareOption {
  const help = 'write path=FOLDER,tag=NAME, then ,write and ,uid=N if you want'
  let rest = text
  let tag: string | undefined
  let writable = false
  let owner = FIRST_USER
  for (let match = SHARE_SUFFIX.exec(rest); match; match = SHARE_SUFFIX.exec(rest)) {
    rest = rest.slice(0, match.index)
    if (match[1] !== undefined) writable = true
    else if (match[2] !== undefined) tag = match[2]
    else owner = Number(match[3])
  }
  const path = rest.startsWith('path=') ? rest.slice(5) : ''
  if (path === '' || tag === undefined) throw usageError(`--share ${text}: ${help}`)
  if (!SHARE_TAG.test(tag)) {
    throw usageError(`--share ${text}: a tag has 1 to 36 letters, digits, dots, hyphens and underscores`)
  }
  if (owner > MAX_USER) throw usageError(`--share ${text}: there is no user ${owner}`)
  return { path, tag, writable, owner }
}

/** The arguments' form of a folder, which `parseShare` reads back. */
export const shareArgument = ({ path, tag, writable, owner }: ShareOption): string =>
  `path=${path},tag=${tag}${writable ? ',write' : ''}${owner === FIRST_USER ? '' : `,uid=${owner}`}`

export function parseDisk(text: string): DiskOption {
  let path = text
  let readOnly = false
  let format: DiskFormat | undefined
  let serial: string | undefined
  let cache: DiskCache | undefined
  // From the end, because a file's name may have commas.
  for (let match = DISK_SUFFIX.exec(path); match; match = DISK_SUFFIX.exec(path)) {
    path = path.slice(0, match.index)
    const value = match[1]
    if (match[2] !== undefined) serial = match[2]
    else if (match[3] !== undefined) {
      cache = diskCaches.find((mode) => mode === match![3])
      if (cache === undefined)
        throw usageError(`--disk ${text}: there is no cache mode "${match[3]}": ${diskCaches.join(', ')}`)
    } else if (value === undefined) readOnly = true
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
    ...(cache === undefined ? {} : { cache }),
  }
}

/** The arguments' form of a disk, which `parseDisk` reads back. */
export function diskArgument({ path, readOnly, ...named }: DiskOption): string {
  const { format, serial, cache } = named
  const values = Object.entries({ format, serial, cache }).filter(([, value]) => value !== undefined)
  return `${path}${readOnly ? ',ro' : ''}${values.map(([name, value]) => `,${name}=${value}`).join('')}`
}

export function parseNet(text: string): NetOption {
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

export function parsePort(text: string): PortOption {
  const match = PORT.exec(text)
  if (!match)
    throw usageError(
      `--port ${text}: write NAME,unix:PATH, for example org.qemu.guest_agent.0,unix:/run/agent`,
    )
  checkSocketPath('port', match[2]!)
  return { name: match[1]!, path: match[2]! }
}

export function parseLimits(single: ReadonlyMap<string, string>): Pick<RunOptions, 'diskLimit' | 'netLimit'> {
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

export const limitArgument = ({ bytesPerSecond, operationsPerSecond, burstSeconds }: RateLimit): string =>
  [
    ...(bytesPerSecond === undefined ? [] : [`bytes=${bytesPerSecond}`]),
    ...(operationsPerSecond === undefined ? [] : [`ops=${operationsPerSecond}`]),
    ...(burstSeconds === undefined ? [] : [`burst=${burstSeconds}`]),
  ].join(',')

export function parseSerial(text: string | undefined): SerialOption {
  if (text === undefined || text === 'stdio') return { kind: 'stdio' }
  const scrollbackLine = text.endsWith(SCROLLBACK_LINE)
  const path = unixPath('serial', scrollbackLine ? text.slice(0, -SCROLLBACK_LINE.length) : text)
  return { kind: 'unix', path, ...(scrollbackLine ? { scrollbackLine } : {}) }
}

export function parseDisplay(
  text: string | undefined,
  keyboard: string | undefined,
  screens: string | undefined,
): DisplayOption | undefined {
  if (text === undefined) {
    if (keyboard !== undefined)
      throw usageError('--keyboard needs --display: there is no keyboard without a screen')
    if (screens !== undefined) throw usageError('--screens needs --display: it says where they are seen')
    return undefined
  }
  const layout = layoutNames.find((name) => name === (keyboard ?? 'us'))
  if (layout === undefined) throw usageError(`--keyboard ${keyboard}: known are ${layoutNames.join(', ')}`)
  const path = unixPath('display', text)
  if (screens === undefined) return { path, layout }
  const count = /^\d$/.test(screens) ? Number(screens) : 0
  if (count < 1 || count > maxScreens) throw usageError(`--screens ${screens}: give 1 to ${maxScreens}`)
  return { path, layout, screens: count }
}

export function unixPath(option: string, text: string): string {
  if (!text.startsWith('unix:')) {
    throw usageError(`--${option} ${text}: write unix:PATH${option === 'serial' ? ' or stdio' : ''}`)
  }
  const path = text.slice(5)
  checkSocketPath(option, path)
  return path
}
