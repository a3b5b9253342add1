import type { BackupsView, HostView, ImageView, ProjectView, VmView } from '../../../server/views/index.ts'
import { bytes, percent } from '../../lib/format.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { openRequests } from '../projects/open-requests.ts'

export interface Warning {
  id: string
  tone: 'bad' | 'warn'
  title: string
  text?: string
  href?: string
}

/** Above this part of a disk in use, a box is about to stop writing; one notices while there is time to act. */
const diskTight = 0.85
const diskFull = 0.95
const hotCelsius = 85

export interface Home {
  hosts: readonly HostView[]
  images: readonly ImageView[]
  vms: readonly VmView[]
  projects: readonly ProjectView[]
  /** By host, where it is known. */
  temperatures: ReadonlyMap<number, number>
  backups: Pick<BackupsView, 'hosts' | 'vms'>
}

/** What somebody should look at, the worst first; nothing that is merely interesting. */
export function warningsOf({ hosts, images, vms, projects, temperatures, backups }: Home): Warning[] {
  const t = m.dashboard.warnings
  const found: Warning[] = []
  for (const host of hosts) {
    if (!host.online)
      found.push({ id: `away-${host.id}`, tone: 'bad', title: t.away(host.name), text: t.awayText })
    const disk = host.info ? 1 - host.info.diskAvailableBytes / host.info.diskBytes : 0
    if (host.info && disk > diskTight)
      found.push({
        id: `disk-${host.id}`,
        tone: disk > diskFull ? 'bad' : 'warn',
        title: t.disk(host.name, percent(disk)),
        text: t.diskText(bytes(host.info.diskAvailableBytes)),
      })
    const celsius = temperatures.get(host.id)
    if (celsius !== undefined && celsius >= hotCelsius)
      found.push({
        id: `hot-${host.id}`,
        tone: 'warn',
        title: t.hot(host.name, Math.round(celsius)),
        text: t.hotText,
      })
    if (host.differences.length > 0)
      found.push({
        id: `differs-${host.id}`,
        tone: 'warn',
        title: host.differences[0]!,
        text: host.differences.slice(1).join(' '),
      })
  }
  for (const vm of vms) {
    if (vm.state === 'crashed')
      found.push({
        id: `vm-${vm.id}`,
        tone: 'bad',
        title: t.crashed(vm.name),
        text: vm.exitReason ?? '',
        href: paths.vm(vm.id),
      })
    else if (vm.action?.status === 'error')
      found.push({
        id: `vm-${vm.id}`,
        tone: 'bad',
        title: t.failed(vm.name),
        text: vm.action.error?.message ?? '',
        href: paths.vm(vm.id),
      })
  }
  for (const image of images)
    if (image.status === 'failed')
      found.push({
        id: `image-${image.id}`,
        tone: 'warn',
        title: t.image(image.name),
        text: image.error ?? '',
        href: paths.images(),
      })
    // What nobody makes VMs of any more need not be kept fresh.
    else if (image.outdated && image.usedBy > 0 && image.can.make.ok)
      found.push({
        id: `outdated-${image.id}`,
        tone: 'warn',
        title: t.outdated(image.name),
        text: t.outdatedText,
        href: paths.image(image.id),
      })
  for (const project of projects) {
    const open = openRequests([project])
    if (open > 0)
      found.push({
        id: `asked-${project.id}`,
        tone: 'warn',
        title: t.asked(project.name, open),
        href: paths.project(project.id),
      })
  }
  found.push(...backupWarnings(backups))
  return found.sort((one, other) => Number(other.tone === 'bad') - Number(one.tone === 'bad'))
}

function backupWarnings({ hosts, vms }: Home['backups']): Warning[] {
  const t = m.dashboard.warnings
  const found: Warning[] = []
  const href = paths.backups()
  for (const { id, name, online, target } of hosts) {
    if (!target || !online) continue
    if (target.state === 'missing')
      found.push({
        ...{ id: `backup-disk-${id}`, tone: 'bad', title: t.backupDisk(name), href },
        text: target.problem ?? '',
      })
    else if (target.availableBytes < target.totalBytes * (1 - diskFull))
      found.push({
        ...{ id: `backup-disk-${id}`, tone: 'warn', href, text: t.backupDiskFullText },
        title: t.backupDiskFull(name, bytes(target.availableBytes)),
      })
  }
  for (const { vm, standing, error } of vms) {
    const backup = { id: `backup-${vm.id}`, href: paths.backups(vm.id) }
    if (standing === 'failed')
      found.push({ ...backup, tone: 'bad', title: t.backupFailed(vm.name), text: error ?? '' })
    if (standing === 'late')
      found.push({ ...backup, tone: 'warn', title: t.backupLate(vm.name), text: t.backupLateText })
  }
  return found
}
