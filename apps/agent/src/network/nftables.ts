/**
 * The firewall of the guests' network: two tables of our own, replaced as a whole in one transaction; nobody else's
 * tables are touched. `inet` routes, translates and filters; `bridge` keeps each guest to its own addresses.
 */
import { isOpen } from '@hearth/shared/network'
import type { Guest } from './guest-network.ts'
import type { Subnet } from './subnet.ts'
import { tapName } from './tap-name.ts'

export function nftTableName(bridge: string): string {
  return bridge === 'hearth0' ? 'hearth' : `hearth_${bridge.replaceAll('-', '_')}`
}

export interface NftOptions {
  bridge: string
  bridgeMac: string
  subnet: Subnet
  kind: 'kvm' | 'lab'
  guests: readonly Guest[]
}

type Addressed = Guest & { address: string }

const privateAddresses = '{ 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16 }'

/** Both tables; an empty declaration makes the delete succeed whether a table exists or not. */
export function nftRuleset(options: NftOptions): string {
  const table = nftTableName(options.bridge)
  return ['inet', 'bridge']
    .map((family) => {
      const chains = family === 'inet' ? inetChains(options) : bridgeChains(options)
      return `table ${family} ${table} {\n}\ndelete table ${family} ${table}\ntable ${family} ${table} {\n${chains}}\n`
    })
    .join('')
}

function addressed(guests: readonly Guest[]): Addressed[] {
  return guests.flatMap((guest) => (guest.address === null ? [] : [{ ...guest, address: guest.address }]))
}

const isGuarded = ({ firewall }: Guest): boolean => firewall !== undefined && !isOpen(firewall)

/**
 * Guests reach the world through this box, and on the box itself only what they need: DHCP, DNS and an answer
 * to ping. Otherwise a guest could try the agent's port, the portal and whatever else listens here.
 *
 * Nobody on the box's own network may open connections into the guests' network by routing through the box, except
 * to forwarded ports. In the lab that network is QEMU's user network and the one who would is the machine outside,
 * which may; but 10.0.2.2 is that machine's loopback, and 10.84.0.0/16 its end of the link by which it reaches guests
 * (infra's guest-route): guests may answer there, and must not open connections to what listens there.
 */
function inetChains({ bridge, subnet, kind, guests }: NftOptions): string {
  const known = addressed(guests)
  const guarded = known.filter(isGuarded)
  const placeRule =
    kind === 'lab'
      ? `iifname "${bridge}" ip daddr { 10.0.2.0/24, 10.84.0.0/16 } reject with icmpx admin-prohibited`
      : `oifname "${bridge}" iifname != "${bridge}" drop`
  const guards = guarded.map(({ address }) => `${address} : jump ${guardName(address)}`)
  const translate = dnat(known)
  return `  chain input {
    type filter hook input priority filter; policy accept;
    iifname != "${bridge}" accept
    ct state established,related accept
    udp dport { 53, 67 } accept
    tcp dport 53 accept
    icmp type echo-request accept
    reject with icmpx admin-prohibited
  }
${guarded.map(guardChain).join('')}  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
${guards.length === 0 ? '' : `    oifname "${bridge}" ip daddr vmap { ${guards.join(', ')} }\n`}    oifname "${bridge}" ct status dnat accept
    ${placeRule}
    iifname "${bridge}" ip saddr ${subnet.cidr} accept
    iifname "${bridge}" drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
${translate === '' ? '' : `    fib daddr type local ${translate}\n`}  }
  chain local {
    type nat hook output priority -100; policy accept;
${translate === '' ? '' : `    ip daddr != 127.0.0.0/8 fib daddr type local ${translate}\n`}  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet.cidr} ip daddr != ${subnet.cidr} masquerade
    ct status dnat ip saddr ${subnet.cidr} ip daddr ${subnet.cidr} masquerade
  }
`
}

/** Where the host's ports lead; empty without any. The last rule of postrouting is for guests that come by the host's address. */
function dnat(guests: readonly Addressed[]): string {
  const ports = guests.flatMap(({ address, forwards }) =>
    (forwards ?? []).map(
      ({ protocol, hostPort, guestPort }) => `${protocol} . ${hostPort} : ${address} . ${guestPort}`,
    ),
  )
  return ports.length === 0 ? '' : `dnat ip to meta l4proto . th dport map { ${ports.join(', ')} }`
}

const guardName = (address: string) => `guard_${address.replaceAll('.', '_')}`

/** What a guest's firewall lets in; who gets to its end goes on like everybody. */
function guardChain({ address, firewall, forwards }: Addressed): string {
  if (!firewall) return ''
  // A reset ends a TCP connection at once, and is not limited to one a second as ICMP is.
  const refuse = '    meta l4proto tcp reject with tcp reset\n    reject with icmpx admin-prohibited\n'
  const allowed = [
    ...(firewall.ports ?? []).map(({ protocol, first, last }) => `${protocol} . ${first}-${last}`),
    // Forwarding a port opens it: two places to say the same would only be forgotten.
    ...(forwards ?? []).map(({ protocol, guestPort }) => `${protocol} . ${guestPort}`),
  ]
  const rules =
    firewall.from === 'nobody'
      ? refuse
      : `${firewall.from === 'home' ? `    ip saddr != ${privateAddresses} drop\n` : ''}${
          firewall.ports === null
            ? ''
            : `    icmp type echo-request return\n${allowed.map((port) => `    meta l4proto . th dport { ${port} } return\n`).join('')}${refuse}`
        }`
  return `  chain ${guardName(address)} {\n${rules}  }\n`
}

/**
 * A guest sends from the addresses it was given and no others: it cannot take another guest's packets, its place or
 * its name, nor play DHCP server or IPv6 router for the others.
 *
 * Guests reach each other over the bridge, past the `inet` table. Where one of two has a firewall the frame is given
 * to the box itself instead (a "brouter"), which routes it through that table with its knowledge of connections;
 * whatever cannot be routed (broadcasts, IPv6) does not come through to such a guest.
 */
function bridgeChains({ bridgeMac, subnet, guests }: NftOptions): string {
  const known = addressed(guests)
  // On the box's own network it may have any address, but no card of somebody else's.
  const bridged = guests.filter((guest) => guest.bridge !== undefined)
  if (known.length + bridged.length === 0) return ''
  const guarded = known.filter(isGuarded)
  const list = (items: string[]) => `{ ${items.join(', ')} }`
  const all = [...known, ...bridged]
  const taps = list(all.map(({ vmUid }) => `"${tapName(vmUid)}"`))
  const cards = list(all.map(({ vmUid, mac }) => `"${tapName(vmUid)}" . ${mac}`))
  const own = known.map(({ vmUid, mac, address }) => `"${tapName(vmUid)}" . ${mac} . ${address}`)
  const guardedAddresses = list(guarded.map(({ address }) => address))
  const toBox = `ether daddr set ${bridgeMac} meta pkttype set host`
  const among = `ip saddr ${subnet.cidr} ip daddr ${subnet.cidr} ip daddr != { ${subnet.gateway}, ${subnet.prefix}.255 }`
  return `  set taps { type ifname; elements = ${taps} }
  set cards { type ifname . ether_addr; elements = ${cards} }
  set own { type ifname . ether_addr . ipv4_addr;${own.length === 0 ? '' : ` elements = ${list(own)}`} }
  chain prerouting {
    type filter hook prerouting priority -300; policy accept;
    iifname != @taps accept
    iifname . ether saddr != @cards drop
${
  bridged.length === 0
    ? ''
    : `    iifname ${list(bridged.map(({ vmUid }) => `"${tapName(vmUid)}"`))} accept\n`
}    ether type arp jump sent_arp
    ether type ip jump sent_ipv4
    ether type ip6 jump sent_ipv6
    ether type != { arp, ip, ip6 } drop
  }
  chain sent_arp {
    arp saddr ip 0.0.0.0 return
    iifname . arp saddr ether . arp saddr ip != @own drop
  }
  chain sent_ipv4 {
    ip saddr 0.0.0.0 udp dport 67 return
    iifname . ether saddr . ip saddr != @own drop
    udp sport 67 drop
${
  guarded.length === 0
    ? ''
    : `    ${among} ip saddr ${guardedAddresses} ${toBox}
    ${among} ip daddr ${guardedAddresses} ${toBox}
`
}  }
  chain sent_ipv6 {
    ip6 saddr != { ::, fe80::/10 } drop
    icmpv6 type { nd-router-advert, nd-redirect } drop
    udp sport 547 drop
  }
${
  guarded.length === 0
    ? ''
    : `  chain forward {
    type filter hook forward priority 0; policy accept;
    oifname ${list(guarded.map(({ vmUid }) => `"${tapName(vmUid)}"`))} ether type { ip, ip6 } drop
  }
`
}`
}
