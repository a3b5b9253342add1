import type { VmView } from '../../../server/views/index.ts'
import { matchesVm } from './vm-status.ts'

/** States as one thinks of them in a list; each VM is in one of these groups. */
export const stateGroups = ['running', 'stopped', 'busy', 'trouble', 'away'] as const
export type StateGroup = (typeof stateGroups)[number]

export const columns = [
  'name',
  'state',
  'project',
  'image',
  'size',
  'memory',
  'disk',
  'address',
  'host',
  'uptime',
  'created',
] as const
export type Column = (typeof columns)[number]
export const firstColumns: readonly Column[] = ['name', 'state', 'size', 'address', 'uptime']

/** What of the list is shown, and in which order. The address bar carries it, so a view can be kept and passed on. */
export interface ListView {
  query: string
  states: readonly StateGroup[]
  /** `key=value` or `key`; all of them must be there. */
  labels: readonly string[]
  project: number | null
  sort: Column
  descending: boolean
}

export const plainView: ListView = {
  query: '',
  states: [],
  labels: [],
  project: null,
  sort: 'name',
  descending: false,
}

/** Reads what may have been typed by hand or come from an older page: what it does not know it leaves out. */
export function parseView(search: URLSearchParams): ListView {
  const words = (name: string) => (search.get(name) ?? '').split(',').filter(Boolean)
  const sort = search.get('sort') ?? 'name'
  const column = sort.replace(/^-/, '')
  const project = Number(search.get('project'))
  return {
    query: search.get('q') ?? '',
    states: stateGroups.filter((group) => words('state').includes(group)),
    labels: search.getAll('label').filter(Boolean),
    project: Number.isSafeInteger(project) && project > 0 ? project : null,
    sort: (columns as readonly string[]).includes(column) ? (column as Column) : 'name',
    descending: sort.startsWith('-'),
  }
}

/** The shortest address of a view; empty for the plain one. */
export function viewToSearch(view: ListView): string {
  const search = new URLSearchParams()
  if (view.query.trim()) search.set('q', view.query)
  if (view.states.length > 0) search.set('state', view.states.join(','))
  for (const label of view.labels) search.append('label', label)
  if (view.project !== null) search.set('project', String(view.project))
  if (view.sort !== 'name' || view.descending) search.set('sort', (view.descending ? '-' : '') + view.sort)
  const text = search.toString()
  return text ? `?${text}` : ''
}

export function isFiltered(view: ListView): boolean {
  return Boolean(view.query.trim()) || view.states.length + view.labels.length > 0 || view.project !== null
}

export function stateGroup(vm: VmView): StateGroup {
  if (vm.state === 'unknown') return 'away'
  if (vm.state === 'crashed' || vm.action?.status === 'error') return 'trouble'
  if (vm.action?.status === 'running' || vm.desiredState === 'deleted') return 'busy'
  return vm.state === 'stopped' ? 'stopped' : vm.state === 'running' ? 'running' : 'busy'
}

/** Every label that some VM has, as `key=value`, in alphabetical order. */
export function labelsOf(vms: readonly VmView[]): string[] {
  const all = vms.flatMap((vm) => Object.entries(vm.labels).map(([key, value]) => labelText(key, value)))
  return [...new Set(all)].sort()
}

export function labelText(key: string, value: string): string {
  return value ? `${key}=${value}` : key
}

function hasLabel(vm: VmView, label: string): boolean {
  const at = label.indexOf('=')
  if (at < 0) return Object.hasOwn(vm.labels, label)
  return vm.labels[label.slice(0, at)] === label.slice(at + 1)
}

/** The VMs of a view, in its order; ties fall back to the name, so that rows never swap by themselves. */
export function applyView(vms: readonly VmView[], view: ListView): VmView[] {
  const query = view.query.trim()
  return vms
    .filter(
      (vm) =>
        (!query || matchesVm(vm, query)) &&
        (view.states.length === 0 || view.states.includes(stateGroup(vm))) &&
        view.labels.every((label) => hasLabel(vm, label)) &&
        (view.project === null || vm.project.id === view.project),
    )
    .sort((one, other) => {
      const order = compare(one, other, view.sort)
      return (view.descending ? -order : order) || byName(one, other)
    })
}

const byName = (one: VmView, other: VmView) => one.name.localeCompare(other.name, 'en', { numeric: true })

function compare(one: VmView, other: VmView, column: Column): number {
  switch (column) {
    case 'name':
      return byName(one, other)
    case 'state':
      return stateGroups.indexOf(stateGroup(one)) - stateGroups.indexOf(stateGroup(other))
    case 'project':
      return one.project.name.localeCompare(other.project.name)
    case 'image':
      return one.image.name.localeCompare(other.image.name)
    case 'memory':
    case 'size':
      return one.memoryBytes - other.memoryBytes || one.cpus - other.cpus
    case 'disk':
      return (one.diskBytes ?? 0) - (other.diskBytes ?? 0)
    case 'address':
      return addressKey(one).localeCompare(addressKey(other), 'en', { numeric: true })
    case 'host':
      return one.host.name.localeCompare(other.host.name)
    case 'uptime':
      return upSince(other) - upSince(one)
    case 'created':
      return one.createdAt.localeCompare(other.createdAt)
  }
}

/** Those without an address come after those with one. */
const addressKey = (vm: VmView) => vm.addresses[0] ?? '~'
/** What does not run has an uptime of nothing: it began in the far future. */
const upSince = (vm: VmView) =>
  vm.state === 'running' && vm.since ? new Date(vm.since).getTime() : Number.MAX_SAFE_INTEGER
