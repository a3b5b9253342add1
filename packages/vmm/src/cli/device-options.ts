/** Options of single devices: their values, parsed. Each throws ExitError with code 1 and one line that says what to write. */
import { type WatchdogAction, watchdogActions } from '@hearth/shared/watchdog'
import { usageError } from '../sys/exit-error.ts'

/** sockaddr_un has 108 bytes with the final zero. */
const MAX_SOCKET_PATH = 107
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const VSOCK = /^(\d{1,10}),unix:(.+)$/
/** VIRTIO 1.2, section 5.10.4. */
const GUEST_CIDS = { first: 3, last: 0xffff_fffe } as const
/** What a port of the host puts behind the socket's path. */
const PORT_SUFFIX_BYTES = '_4294967295'.length

/** Sockets of the guest: its own number among them, and the unix socket here. */
export interface VsockOption {
  readonly cid: number
  readonly path: string
}

/** `reserved`: bytes that are to follow the path. */
export function checkSocketPath(option: string, path: string, reserved = 0): void {
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
