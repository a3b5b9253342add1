import { hostInfoSchema } from '@hearth/shared/agent-protocol'
import { formatBytes } from '@hearth/shared/units'
import { can, cannot } from '../views/common.ts'
import type { HostView } from '../views/host.ts'
import { type SizeView, sizes } from '../views/size.ts'
import { standingOf } from './access.ts'
import type { ServiceContext } from './context.ts'
import { openBridges, setBridges } from './host-bridges.ts'
import type { PortalServices } from './types.ts'

async function hostViews({ db, hosts }: ServiceContext): Promise<HostView[]> {
  const rows = await db.host.findMany({ orderBy: { id: 'asc' } })
  return rows.map((host) => ({
    id: host.id,
    name: host.name,
    online: hosts.isOnline(host.id),
    lastSeenAt: host.lastSeenAt?.toISOString() ?? null,
    info: host.info === null ? null : hostInfoSchema.parse(JSON.parse(host.info)),
    bridges: openBridges(host),
    differences: hosts.differences(host.id),
  }))
}

export function hostsService(context: ServiceContext): PortalServices['hosts'] {
  const list: PortalServices['hosts']['list'] = async (viewer) => {
    const views = await hostViews(context)
    if ((await standingOf(context.db, viewer)).isAdmin) return views
    // They name VMs that belong to nobody: the administrator's business.
    return views.map((view) => ({ ...view, differences: [] }))
  }
  return {
    list,
    setBridges: (viewer, input) => setBridges(context, viewer, input),
    watch: (viewer, signal) => context.changes.watch(['hosts', 'people'], () => list(viewer), signal),
  }
}

function fits(size: (typeof sizes)[number], info: HostView['info'] | undefined): SizeView['fits'] {
  if (!info) return cannot('The host was not seen yet.')
  if (size.cpus > info.cpus)
    return cannot(info.cpus === 1 ? 'The host has one CPU.' : `The host has ${info.cpus} CPUs.`)
  if (size.memoryBytes > info.memoryBytes)
    return cannot(`The host has ${formatBytes(info.memoryBytes, 'en')} of memory.`)
  if (size.diskBytes > info.diskBytes)
    return cannot(`The host has ${formatBytes(info.diskBytes, 'en')} of storage.`)
  return can
}

export function sizesService(context: ServiceContext): PortalServices['sizes'] {
  return {
    async list() {
      const [host] = await hostViews(context)
      return sizes.map(({ id: _, ...size }, index) => ({ ...size, fits: fits(sizes[index]!, host?.info) }))
    },
  }
}
