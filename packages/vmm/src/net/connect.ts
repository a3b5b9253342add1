import * as libc from '../sys/libc.ts'
import { NetError } from './net-error.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0o2000000
const FIONBIO = 0x5421
/** struct sockaddr_un: u16 family, char path[108]. */
const PATH_BYTES = 108

/** Connects to the unix stream socket passt listens on. Returns a non-blocking fd; throws NetError. */
export function connectPasst(path: string): number {
  const bytes = new TextEncoder().encode(path)
  if (bytes.length === 0 || bytes.length >= PATH_BYTES || bytes.includes(0)) {
    throw new NetError(`"${path}" is no path of a socket (1 to ${PATH_BYTES - 1} bytes)`)
  }
  const address = new Uint8Array(2 + PATH_BYTES)
  address[0] = AF_UNIX
  address.set(bytes, 2)
  const fd = libc.check('socket', libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
  if (libc.connect(fd, address, address.length) < 0) {
    const reason = new libc.SystemError('connect', libc.errno()).message
    libc.close(fd)
    throw new NetError(`cannot reach passt at ${path}: ${reason}`)
  }
  libc.check('FIONBIO', libc.ioctl(fd, FIONBIO, new Int32Array([1])))
  return fd
}
