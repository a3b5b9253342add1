/** Arithmetic of the guests' /24 network, and the choice of one that nothing on this box uses. */

export interface Subnet {
  /** The first three octets, e.g. `10.83.0`. */
  prefix: string
  cidr: string
  /** The bridge's own address: the guests' gateway and name server. */
  gateway: string
  netmask: string
  /** Addresses for guests. */
  first: string
  last: string
}

/** Parses a private (RFC 1918) /24; `undefined` for anything else. */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.0\/24$/.exec(text)
  if (!match) return undefined
  const [a, b, c] = [Number(match[1]), Number(match[2]), Number(match[3])] as [number, number, number]
  if (a > 255 || b > 255 || c > 255) return undefined
  const isPrivate = a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168)
  if (!isPrivate) return undefined
  const prefix = `${a}.${b}.${c}`
  return {
    prefix,
    cidr: `${prefix}.0/24`,
    gateway: `${prefix}.1`,
    netmask: '255.255.255.0',
    first: `${prefix}.2`,
    last: `${prefix}.254`,
  }
}

/** An IPv4 network in use on this box, e.g. a route's destination. */
export interface UsedNetwork {
  address: string
  bits: number
}

function toNumber(address: string): number {
  return address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0)
}

export function overlaps(subnet: Subnet, used: UsedNetwork): boolean {
  if (used.bits === 0) return false
  const bits = Math.min(24, used.bits)
  const size = 2 ** (32 - bits)
  return Math.floor(toNumber(subnet.gateway) / size) === Math.floor(toNumber(used.address) / size)
}

/** The preferred network if it is free, else the next free 10.83.x.0/24; `undefined` when all are taken. */
export function chooseSubnet(preferred: Subnet, used: UsedNetwork[]): Subnet | undefined {
  const candidates = [preferred]
  for (let third = 0; third < 256; third++) candidates.push(parseSubnet(`10.83.${third}.0/24`)!)
  return candidates.find((candidate) => !used.some((network) => overlaps(candidate, network)))
}

/** The lowest free guest address; `undefined` when the network is full. */
export function chooseAddress(subnet: Subnet, taken: Iterable<string>): string | undefined {
  const used = new Set(taken)
  for (let host = 2; host <= 254; host++) {
    const address = `${subnet.prefix}.${host}`
    if (!used.has(address)) return address
  }
  return undefined
}
