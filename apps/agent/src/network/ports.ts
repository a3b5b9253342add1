/** Ports of this box that lead to guests: who may have which. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { HearthError } from '@hearth/shared/errors'
import { isOpen, type PortForward, portKey } from '@hearth/shared/network'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { foreignBridges } from '../host/addresses.ts'
import type { GuestNetwork } from './guest-network.ts'

/** Refuses, before anything is changed, ports that others have and what this box's network cannot do. */
export async function requireNetwork(
  network: GuestNetwork,
  others: readonly VmSpec[],
  spec: VmSpec,
  current?: VmSpec,
): Promise<void> {
  if (network.kind === 'passt' && spec.firewall && !isOpen(spec.firewall) && spec.firewall.from !== 'nobody')
    throw new HearthError(
      'host_refused',
      'The agent of this host does not run as root and cannot tell who connects. Only “nobody” can be enforced here.',
    )
  if (spec.bridge !== undefined) {
    if (network.kind === 'passt')
      throw new HearthError(
        'host_refused',
        'The agent of this host does not run as root and cannot attach a VM to a bridge.',
      )
    if (spec.bridge !== current?.bridge && !(await foreignBridges(network.bridge)).includes(spec.bridge))
      throw new HearthError('host_refused', `This host has no bridge ${spec.bridge}.`)
    if ((spec.forwards ?? []).length > 0 || (spec.firewall && !isOpen(spec.firewall)))
      throw new HearthError(
        'invalid_input',
        'A VM on a bridge is a member of that network: the box neither forwards ports to it nor filters for it.',
      )
  }
  const before = new Set((current?.forwards ?? []).map(portKey))
  const taken = new Map(
    others.flatMap((other) => (other.forwards ?? []).map((forward) => [portKey(forward), other])),
  )
  for (const forward of spec.forwards ?? []) {
    const { protocol, hostPort } = forward
    const name = `Port ${hostPort} (${protocol.toUpperCase()})`
    const other = taken.get(portKey(forward))
    if (other) throw new HearthError('conflict', `${name} of this host leads to ${other.name} already.`)
    if (before.has(portKey(forward))) continue
    const problem = await whyNotFree(forward)
    if (problem === 'EADDRINUSE')
      throw new HearthError(
        'conflict',
        `${name} is in use by a program of the host itself. Choose another port.`,
      )
    if (problem === 'EACCES' && network.kind === 'passt')
      throw new HearthError(
        'host_refused',
        `The agent of this host does not run as root and may not open ${name}. Choose a port from 1024 on.`,
      )
  }
}

/**
 * The error code of trying to listen there, on every address; null when it works. What listens is translated away
 * from under its program otherwise: a forwarded port comes before anything that listens on the box.
 */
export async function whyNotFree({ protocol, hostPort }: PortForward): Promise<string | null> {
  const attempt = protocol === 'tcp' ? listenTcp : bindUdp
  const code = await attempt(hostPort, '::')
  // A box without IPv6 has no such address.
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL' ? attempt(hostPort, '0.0.0.0') : code
}

function listenTcp(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EIO'))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

function bindUdp(port: number, address: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket(address === '::' ? 'udp6' : 'udp4')
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EIO'))
    socket.bind({ port, address, exclusive: true }, () => socket.close(() => resolve(null)))
  })
}
