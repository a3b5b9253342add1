/** Who reaches a VM from outside: forwarded ports, and what its firewall lets in. */
import { z } from 'zod'

/** A Linux bridge of the host: within IFNAMSIZ, and nothing that a tool would take for something else. */
export const bridgeNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/,
    'The name of a bridge has at most 15 letters, digits, dots and hyphens.',
  )

export const portProtocols = ['tcp', 'udp'] as const
export type PortProtocol = (typeof portProtocols)[number]

/** How many of each one VM may have. */
export const networkLimits = { forwards: 32, allowedPorts: 32 } as const

export const portSchema = z
  .int('A port is a whole number.')
  .min(1, 'A port is a number from 1 to 65535.')
  .max(65535, 'A port is a number from 1 to 65535.')

/** Ports of a host that are never forwarded, with what they are for: SSH, DNS, DHCP and the agent. */
export const reservedPorts: Readonly<Record<number, string>> = {
  22: 'SSH of the host itself',
  53: 'the DNS of the VMs',
  67: 'the DHCP of the VMs',
  68: 'the DHCP of the host',
  7420: 'the agent of the host',
}

/** A port of the host that leads to a port of the guest. */
export const portForwardSchema = z.object({
  protocol: z.enum(portProtocols),
  hostPort: portSchema.refine((port) => !(port in reservedPorts), {
    error: ({ input }) =>
      `Port ${input} is kept for ${reservedPorts[Number(input)]}. Choose another one, for example ${Number(input) + 8000}.`,
  }),
  guestPort: portSchema,
})
export type PortForward = z.infer<typeof portForwardSchema>

/** One port of a host has one receiver; this names it. */
export const portKey = ({ protocol, hostPort }: Pick<PortForward, 'protocol' | 'hostPort'>): string =>
  `${protocol}/${hostPort}`

export const portForwardsSchema = z
  .array(portForwardSchema)
  .max(networkLimits.forwards, `A VM has at most ${networkLimits.forwards} forwarded ports.`)
  .refine((forwards) => new Set(forwards.map(portKey)).size === forwards.length, {
    error: 'A port of the host can lead to one port of the guest only.',
  })

/** `8080 → 80 (TCP)`, for people. */
export function portForwardText({ protocol, hostPort, guestPort }: PortForward): string {
  return `${hostPort} → ${guestPort} (${protocol.toUpperCase()})`
}

/**
 * Who may open connections to the guest. `home`: only private addresses (RFC 1918, RFC 3927), so that a router that
 * forwards to the host lets nobody in from the internet. `nobody`: only answers to what the guest asked for.
 */
export const firewallSources = ['anywhere', 'home', 'nobody'] as const
export type FirewallSource = (typeof firewallSources)[number]

export const allowedPortsSchema = z
  .object({ protocol: z.enum(portProtocols), first: portSchema, last: portSchema })
  .refine(({ first, last }) => first <= last, { error: 'A range of ports begins with the lower one.' })
export type AllowedPorts = z.infer<typeof allowedPortsSchema>

export const firewallSchema = z.object({
  from: z.enum(firewallSources),
  /** Ports of the guest that are let in beside those that are forwarded; null: all. */
  ports: z.array(allowedPortsSchema).max(networkLimits.allowedPorts).nullable(),
})
export type Firewall = z.infer<typeof firewallSchema>

/** What a VM has whose owner chose nothing. */
export const openFirewall: Firewall = { from: 'anywhere', ports: null }

export const isOpen = (firewall: Firewall): boolean => firewall.from === 'anywhere' && firewall.ports === null

/** `22/tcp, 8000-8010/tcp`: as people write them, and back; undefined when it cannot be read. */
export function parseAllowedPorts(text: string): AllowedPorts[] | undefined {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== '')
  const ports = parts.map((part) => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp))?$/i.exec(part)
    const parsed = allowedPortsSchema.safeParse({
      protocol: (match?.[3] ?? 'tcp').toLowerCase(),
      first: Number(match?.[1]),
      last: Number(match?.[2] ?? match?.[1]),
    })
    return parsed.data
  })
  return ports.every((port) => port !== undefined) ? ports : undefined
}

export function formatAllowedPorts(ports: readonly AllowedPorts[]): string {
  return ports
    .map(({ protocol, first, last }) => `${first === last ? first : `${first}-${last}`}/${protocol}`)
    .join(', ')
}
