/** What of a VM's network its owner decides: forwarded ports and the firewall. Changed with the other settings. */
import { isDeepStrictEqual } from 'node:util'
import {
  type Firewall,
  formatAllowedPorts,
  openFirewall,
  type PortForward,
  portKey,
} from '@hearth/shared/network'
import type { VmSpec } from '@hearth/shared/vm-spec'

export interface NetworkWish {
  /** null: the host's own network for VMs. */
  bridge?: string | null | undefined
  forwards?: PortForward[] | undefined
  firewall?: Firewall | undefined
}

/** What differs from what is wanted already. */
export function changedNetwork(spec: VmSpec, { bridge, forwards, firewall }: NetworkWish): NetworkWish {
  return {
    ...(bridge !== undefined && bridge !== (spec.bridge ?? null) ? { bridge } : {}),
    ...(forwards && !isDeepStrictEqual(forwards, spec.forwards ?? []) ? { forwards } : {}),
    ...(firewall && !isDeepStrictEqual(firewall, spec.firewall ?? openFirewall) ? { firewall } : {}),
  }
}

const sources = {
  anywhere: 'from anywhere',
  home: 'from the home network',
  nobody: 'from nobody',
} as const

/** For the activity: what came, what went, and who gets in. */
export function networkSummary(before: VmSpec, { bridge, forwards, firewall }: NetworkWish): string[] {
  const parts: string[] = []
  if (bridge !== undefined)
    parts.push(bridge === null ? 'is on the network for VMs again' : `is on the network ${bridge}`)
  const named = ({ protocol, hostPort }: PortForward) => `port ${hostPort} (${protocol.toUpperCase()})`
  if (forwards) {
    const old = new Map((before.forwards ?? []).map((forward) => [portKey(forward), forward]))
    for (const forward of forwards)
      if (old.get(portKey(forward))?.guestPort !== forward.guestPort)
        parts.push(`${named(forward)} of the host leads to its port ${forward.guestPort}`)
    const kept = new Set(forwards.map(portKey))
    for (const forward of old.values())
      if (!kept.has(portKey(forward))) parts.push(`${named(forward)} of the host no longer leads to it`)
  }
  if (firewall) {
    const { from, ports } = firewall
    const to =
      from === 'nobody' || ports === null
        ? ''
        : ` to ${ports.length === 0 ? 'forwarded ports only' : `the ports ${formatAllowedPorts(ports)}`}`
    parts.push(`lets in connections ${sources[from]}${to}`)
  }
  return parts
}
