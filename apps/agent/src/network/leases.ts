/** dnsmasq's lease file: `expiry mac address name client-id`, one IPv4 lease a line; expiry 0 never ends. */
interface Lease {
  expiry: number
  mac: string
  address: string
  line: string
}

function parseLeases(text: string): Lease[] {
  const leases: Lease[] = []
  for (const line of text.split('\n')) {
    const [expiry, mac, address] = line.split(' ')
    if (!/^\d+$/.test(expiry ?? '') || !mac || !/^\d+\.\d+\.\d+\.\d+$/.test(address ?? '')) continue
    leases.push({ expiry: Number(expiry), mac: mac.toLowerCase(), address: address!, line })
  }
  return leases
}

/** Addresses that are leased now (`now` in seconds), by MAC. */
export function leasedAddresses(text: string, now: number): Map<string, string[]> {
  const byMac = new Map<string, string[]>()
  for (const lease of parseLeases(text)) {
    if (lease.expiry !== 0 && lease.expiry < now) continue
    byMac.set(lease.mac, [...(byMac.get(lease.mac) ?? []), lease.address])
  }
  return byMac
}

/** The lease file without the leases of MACs that are not in `known`. */
export function withoutStrangers(text: string, known: ReadonlySet<string>): string {
  const strangers = new Set(
    parseLeases(text)
      .filter((lease) => !known.has(lease.mac))
      .map((lease) => lease.line),
  )
  return text
    .split('\n')
    .filter((line) => !strangers.has(line))
    .join('\n')
}
