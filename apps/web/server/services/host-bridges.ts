/** Bridges of hosts that VMs may be attached to: found by the host, opened by an administrator. */
import { HearthError } from '@hearth/shared/errors'
import { z } from 'zod'
import type { Viewer } from '../auth/viewer.ts'
import type { Host } from '../generated/client.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { hostInfoOf } from './vm-size.ts'

export const openBridges = (host: Pick<Host, 'bridges'>): string[] =>
  z.array(z.string()).catch([]).parse(JSON.parse(host.bridges))

export function requireOpenBridge(host: Pick<Host, 'bridges'>, bridge: string | null | undefined): void {
  if (!bridge || openBridges(host).includes(bridge)) return
  throw new HearthError(
    'forbidden',
    `The network ${bridge} is not open to VMs. An administrator can open it in the home's settings.`,
  )
}

export async function setBridges(
  { db, hosts, changes }: ServiceContext,
  viewer: Viewer,
  { id, bridges }: { id: number; bridges: string[] },
): Promise<void> {
  await db.$transaction(async (tx) => {
    const host = await tx.host.findUnique({ where: { id } })
    if (!host) throw notFound('host')
    const before = openBridges(host)
    const opened = bridges.filter((name) => !before.includes(name))
    const closed = before.filter((name) => !bridges.includes(name))
    if (opened.length + closed.length === 0) return
    const found = opened.length === 0 ? [] : (hostInfoOf(host, hosts.isOnline(id)).bridges ?? [])
    const missing = opened.find((name) => !found.includes(name))
    if (missing) throw new HearthError('not_found', `${host.name} has no bridge ${missing}.`)
    await tx.host.update({ where: { id }, data: { bridges: JSON.stringify([...new Set(bridges)].sort()) } })
    const told = [
      ...(opened.length > 0 ? [`opened the network ${opened.join(', ')} to VMs`] : []),
      // Those that are on it stay: taking a network away from what runs is the VM's own setting.
      ...(closed.length > 0 ? [`closed the network ${closed.join(', ')} to more VMs`] : []),
    ]
    await record(tx, {
      kind: 'home.update',
      summary: `${host.name}: ${told.join(', ')}`,
      actor: actorOf(viewer),
      from: viewer.from,
    })
  })
  changes.publish('hosts')
}
