/**
 * A static program for a guest whose busybox knows no AF_VSOCK: connects to a port of the host, or waits for one
 * connection at its own, and becomes the program in its arguments with the stream as standard input and output.
 */
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** socket(AF_VSOCK, SOCK_STREAM, 0) into ebx; then the call in eax with {addr, 16}, which ends it when it fails. */
const open = (call: number): string =>
  `bf28000000 be01000000 31d2 b829000000 0f05 89c3 89df 488d3500000000 ba10000000 b8${call.toString(16)}000000 0f05 85c0 7800`
/** Where in it the distances to the address and to FAIL go, and what they count from. */
const PATCH = { address: 0x1a, addressFrom: 0x1e, fail: 0x2d } as const
/** listen(ebx, 1); accept(ebx, 0, 0) into ebx. */
const ACCEPT = '89df be01000000 b832000000 0f05 89df 31f6 31d2 b82b000000 0f05 89c3'
/** dup2(ebx, 0); dup2(ebx, 1); execve(argv[1], argv + 1, 0). */
const BECOME =
  '89df 31f6 b821000000 0f05 89df be01000000 b821000000 0f05 488b7c2410 488d742410 31d2 b83b000000 0f05'
/** _exit(1) */
const FAIL = 'bf01000000 b83c000000 0f05'

const CONNECT = 42
const BIND = 49
const AF_VSOCK = 40
const BASE = 0x40_0000
const HEADERS = 64 + 56

function elf(code: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADERS + code.length)
  const view = new DataView(bytes.buffer)
  const u64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true)
  // ELF64, little endian, ET_EXEC for x86-64 with one PT_LOAD that is read and executed.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 2, true)
  view.setUint16(18, 62, true)
  view.setUint32(20, 1, true)
  u64(24, BASE + HEADERS)
  u64(32, 64)
  view.setUint16(52, 64, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, 1, true)
  view.setUint32(64, 1, true)
  view.setUint32(68, 5, true)
  u64(80, BASE)
  u64(88, BASE)
  u64(96, bytes.length)
  u64(104, bytes.length)
  u64(112, 0x1000)
  bytes.set(code, HEADERS)
  return bytes
}

/** `connect` to `port` of `cid`, or wait for one connection at `port` of any of its own addresses. */
export function vsockProgram(how: 'connect' | 'listen', port: number, cid = 0xffff_ffff): Uint8Array {
  const body = how === 'connect' ? hex(BECOME) : hex(ACCEPT + BECOME)
  // struct sockaddr_vm: u16 family, u16 reserved, u32 port, u32 cid, 4 bytes of flags and zeroes.
  const address = new DataView(new ArrayBuffer(16))
  address.setUint16(0, AF_VSOCK, true)
  address.setUint32(4, port, true)
  address.setUint32(8, cid, true)
  const start = hex(open(how === 'connect' ? CONNECT : BIND))
  const total = start.length + body.length + hex(FAIL).length
  start[PATCH.address] = total - PATCH.addressFrom
  start[PATCH.fail] = body.length
  return elf(Uint8Array.from([...start, ...body, ...hex(FAIL), ...new Uint8Array(address.buffer)]))
}
