/** Just enough Ethernet, ARP, IPv4 and UDP to talk to a real network stack in tests. */

export type Mac = readonly number[]
export type Ip = readonly number[]

const u16 = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff]

/** RFC 1071. */
function checksum(bytes: Uint8Array, initial = 0): number {
  let sum = initial
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

export function ethernet(to: Mac, from: Mac, type: number, payload: Uint8Array): Uint8Array {
  return new Uint8Array([...to, ...from, ...u16(type), ...payload])
}

/** A request of `from` for the hardware address of `target`. */
export function arpRequest(mac: Mac, from: Ip, target: Ip): Uint8Array {
  const body = [0, 1, 8, 0, 6, 4, 0, 1, ...mac, ...from, 0, 0, 0, 0, 0, 0, ...target]
  return ethernet([255, 255, 255, 255, 255, 255], mac, 0x0806, new Uint8Array(body))
}

export interface Udp {
  readonly from: Ip
  readonly fromPort: number
  readonly to: Ip
  readonly toPort: number
  readonly payload: Uint8Array
}

/** An IPv4 packet with a UDP datagram. With `partial` its checksum is only begun, for an offload to finish. */
export function udp(packet: Udp, partial = false): Uint8Array {
  const length = 8 + packet.payload.length
  const pseudo = new Uint8Array([...packet.from, ...packet.to, 0, 17, ...u16(length)])
  const datagram = new Uint8Array([
    ...u16(packet.fromPort),
    ...u16(packet.toPort),
    ...u16(length),
    0,
    0,
    ...packet.payload,
  ])
  const begun = checksum(pseudo)
  const value = partial ? begun : ~checksum(datagram, begun) & 0xffff
  datagram.set(u16(value), 6)
  const header = new Uint8Array([
    0x45,
    0,
    ...u16(20 + length),
    0,
    1,
    0x40,
    0,
    64,
    17,
    0,
    0,
    ...packet.from,
    ...packet.to,
  ])
  header.set(u16(~checksum(header) & 0xffff), 10)
  return new Uint8Array([...header, ...datagram])
}

/** The UDP payload in an Ethernet frame for port `port`, or undefined when it is something else. */
export function udpPayload(frame: Uint8Array, port: number): Uint8Array | undefined {
  if (frame[12] !== 8 || frame[13] !== 0 || frame[23] !== 17) return undefined
  const at = 14 + (frame[14]! & 15) * 4
  if (((frame[at + 2]! << 8) | frame[at + 3]!) !== port) return undefined
  const length = (frame[at + 4]! << 8) | frame[at + 5]!
  return frame.slice(at + 8, at + length)
}
