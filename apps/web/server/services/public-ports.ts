/** Ports of hosts that lead to VMs: the rows follow the specifications and count for the project's quota. */
import { HearthError } from '@hearth/shared/errors'
import { type PortForward, portKey } from '@hearth/shared/network'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { Queries } from '../db/client.ts'
import { isUniqueViolation } from './errors.ts'
import { reserve } from './quota.ts'

type PortVm = { id: number; projectId: number; hostId: number }

/** Takes what a VM gets beyond what it has; call it before `followPorts`, in the same transaction. */
export async function reservePorts(tx: Queries, vm: PortVm, spec: VmSpec): Promise<void> {
  const had = await tx.publicPort.findMany({ where: { vmId: vm.id } })
  const known = new Set(had.map(keyOf))
  const added = (spec.forwards ?? []).filter((forward) => !known.has(portKey(forward)))
  for (const { protocol, hostPort } of added) {
    const other = await tx.publicPort.findFirst({ where: { hostId: vm.hostId, protocol, hostPort } })
    if (other) throw portTaken(added.find((one) => one.protocol === protocol && one.hostPort === hostPort))
  }
  await reserve(tx, vm.projectId, { ports: added.length })
}

/**
 * Exactly the ports of these specifications, of which the first counts where they differ. While a change is under way
 * both are given: a port is free only when the host has let go of it, and can be given back when it has not.
 */
export async function followPorts(tx: Queries, vm: PortVm, specs: readonly VmSpec[]): Promise<void> {
  const wanted = new Map<string, PortForward>()
  for (const forward of specs.flatMap(({ forwards }) => forwards ?? []))
    if (!wanted.has(portKey(forward))) wanted.set(portKey(forward), forward)
  const rows = await tx.publicPort.findMany({ where: { vmId: vm.id } })
  for (const row of rows) {
    const forward = wanted.get(keyOf(row))
    wanted.delete(keyOf(row))
    if (!forward) await tx.publicPort.delete({ where: { id: row.id } })
    else if (forward.guestPort !== row.guestPort)
      await tx.publicPort.update({ where: { id: row.id }, data: { guestPort: forward.guestPort } })
  }
  const { projectId, hostId, id: vmId } = vm
  for (const { protocol, hostPort, guestPort } of wanted.values())
    await tx.publicPort.create({ data: { projectId, hostId, vmId, protocol, hostPort, guestPort } })
}

const keyOf = ({ protocol, hostPort }: { protocol: string; hostPort: number }) => `${protocol}/${hostPort}`

function portTaken(forward?: PortForward): HearthError {
  const which = forward ? `Port ${forward.hostPort} (${forward.protocol.toUpperCase()})` : 'That port'
  return new HearthError(
    'uniqueness_error',
    `${which} of the host leads to another VM already. Choose another port.`,
  )
}

/** Two who ask at the same moment: the database decides, and the other one is told. */
export function portError(error: unknown): unknown {
  return isUniqueViolation(error, 'host_port') ? portTaken() : error
}
