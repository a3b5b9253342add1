/**
 * The firewall table of the guests' network. One table of our own, replaced as a whole in one transaction;
 * nobody else's tables are touched.
 */
import type { Subnet } from './subnet.ts'

export function nftTableName(bridge: string): string {
  return bridge === 'hearth0' ? 'hearth' : `hearth_${bridge.replaceAll('-', '_')}`
}

/**
 * Guests reach the world through this box, and on the box itself only what they need: DHCP, DNS and an answer
 * to ping. Otherwise a guest could try the agent's port, the portal and whatever else listens here.
 *
 * Nobody on the box's own network may open connections into the guests' network by routing through the box.
 * In the lab that network is QEMU's user network and the one who would is the machine outside, which may; but
 * 10.0.2.2 is that machine's loopback, and 10.84.0.0/16 its end of the link by which it reaches guests (infra's
 * guest-route): guests may answer there, and must not open connections to what listens there.
 */
export function nftRuleset(options: { bridge: string; subnet: Subnet; kind: 'kvm' | 'lab' }): string {
  const { bridge, subnet } = options
  const table = nftTableName(bridge)
  const placeRule =
    options.kind === 'lab'
      ? `iifname "${bridge}" ip daddr { 10.0.2.0/24, 10.84.0.0/16 } reject with icmpx admin-prohibited`
      : `oifname "${bridge}" iifname != "${bridge}" drop`
  // The empty declaration makes the delete succeed whether the table exists or not.
  return `table inet ${table} {
}
delete table inet ${table}
table inet ${table} {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname != "${bridge}" accept
    ct state established,related accept
    udp dport { 53, 67 } accept
    tcp dport 53 accept
    icmp type echo-request accept
    reject with icmpx admin-prohibited
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ${placeRule}
    iifname "${bridge}" ip saddr ${subnet.cidr} accept
    iifname "${bridge}" drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet.cidr} ip daddr != ${subnet.cidr} masquerade
  }
}
`
}
