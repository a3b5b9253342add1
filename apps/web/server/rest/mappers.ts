/** From our views to the API's resources; nowhere else do its words meet ours. */
import { createHash } from 'node:crypto'
import type { ActionCommand } from '@hearth/shared/action'
import { GIB, MIB } from '@hearth/shared/units'
import { vmLimits } from '@hearth/shared/vm-spec'
import type { z } from 'zod'
import { isOwn } from '../services/image-rules.ts'
import type { ActionView } from '../views/action.ts'
import type { ImageView } from '../views/image.ts'
import { sizes } from '../views/size.ts'
import type { SshKeyView } from '../views/ssh-key.ts'
import type { VmView } from '../views/vm.ts'
import { restErrors } from './errors.ts'
import type {
  actionSchema,
  imageSchema,
  locationSchema,
  serverSchema,
  serverStatusSchema,
  serverTypeSchema,
  sshKeySchema,
} from './schemas.ts'

type Labels = Record<string, string>
type Location = z.infer<typeof locationSchema>

const commands: Record<ActionCommand, string> = {
  create_vm: 'create_server',
  delete_vm: 'delete_server',
  start_vm: 'start_server',
  shutdown_vm: 'shutdown_server',
  reboot_vm: 'reboot_server',
  poweroff_vm: 'stop_server',
  reset_vm: 'reset_server',
  suspend_vm: 'suspend_server',
  update_vm: 'update_server',
  rebuild_vm: 'rebuild_server',
  protect_vm: 'change_protection',
  protect_image: 'change_protection',
  snapshot_vm: 'create_image',
  restore_vm: 'restore_snapshot',
  delete_snapshot: 'delete_image',
  backup_vm: 'create_backup',
  restore_backup: 'restore_backup',
  verify_backup: 'verify_backup',
  delete_backup: 'delete_backup',
  create_volume: 'create_volume',
  attach_volume: 'attach_volume',
  detach_volume: 'detach_volume',
  resize_volume: 'resize_volume',
  delete_volume: 'delete_volume',
  build_image: 'create_image',
  download_image: 'create_image',
  import_image: 'create_image',
  create_image: 'create_image',
  delete_image: 'delete_image',
}

export function toAction(
  view: ActionView,
  imageIds: ReadonlyMap<string, number>,
): z.input<typeof actionSchema> {
  const imageId = view.image ? imageIds.get(view.image.uid) : undefined
  return {
    id: view.id,
    command: commands[view.command],
    status: view.status,
    progress: view.progress,
    started: view.startedAt,
    finished: view.finishedAt,
    resources: [
      ...(view.vm ? [{ id: view.vm.id, type: 'server' }] : []),
      ...(imageId === undefined ? [] : [{ id: imageId, type: 'image' }]),
    ],
    error: view.error && { code: restErrors[view.error.code].code, message: view.error.message },
  }
}

export interface Size {
  cpus: number
  memoryBytes: number
  diskBytes: number
}

const named = new Map<string, Size & { id: number; label: string }>(sizes.map((size) => [size.name, size]))

/** Sizes that no name fits get an id and a name that say what they are, so that both can be asked for again. */
function custom({ cpus, memoryBytes, diskBytes }: Size): { id: number; name: string } {
  const memory = Math.round(memoryBytes / MIB)
  const disk = Math.round(diskBytes / GIB)
  return { id: (cpus * 2 ** 21 + memory) * 2 ** 15 + disk, name: `custom-${cpus}c-${memory}m-${disk}g` }
}

function sizeOfCustomId(id: number): Size | undefined {
  const disk = id % 2 ** 15
  const rest = Math.floor(id / 2 ** 15)
  return checked({
    cpus: Math.floor(rest / 2 ** 21),
    memoryBytes: (rest % 2 ** 21) * MIB,
    diskBytes: disk * GIB,
  })
}

function checked(size: Size): Size | undefined {
  const within = (value: number, { min, max }: { min: number; max: number }) => value >= min && value <= max
  const fine =
    within(size.cpus, vmLimits.cpus) &&
    within(size.memoryBytes, vmLimits.memoryBytes) &&
    (size.diskBytes === 0 || within(size.diskBytes, vmLimits.diskBytes))
  return fine ? size : undefined
}

/** A size by the name or the id of a server type, as the API takes either. */
export function sizeOf(idOrName: string | number): Size | undefined {
  const text = String(idOrName)
  if (/^\d+$/.test(text)) {
    const id = Number(text)
    return [...named.values()].find((size) => size.id === id) ?? sizeOfCustomId(id)
  }
  const match = /^custom-(\d{1,3})c-(\d{1,7})m-(\d{1,5})g$/.exec(text)
  if (!match) return named.get(text)
  const [, cpus, memory, disk] = match.map(Number)
  return checked({ cpus: cpus!, memoryBytes: memory! * MIB, diskBytes: disk! * GIB })
}

export function toServerType(size: Size, location: Location): z.input<typeof serverTypeSchema> {
  const same = [...named.entries()].find(
    ([, known]) =>
      known.cpus === size.cpus &&
      known.memoryBytes === size.memoryBytes &&
      known.diskBytes === size.diskBytes,
  )
  const { id, name } = same ? { id: same[1].id, name: same[0] } : custom(size)
  return {
    id,
    name,
    description: same ? same[1].label : 'Custom',
    category: same ? 'Standard' : 'Custom',
    cores: size.cpus,
    memory: size.memoryBytes / GIB,
    disk: Math.round(size.diskBytes / GIB),
    deprecated: false,
    deprecation: null,
    prices: [],
    storage_type: 'local',
    cpu_type: 'shared',
    architecture: 'x86',
    locations: [{ id: location.id, name: location.name, deprecation: null }],
  }
}

const imageStatus = {
  ready: 'available',
  building: 'creating',
  uploading: 'creating',
  absent: 'unavailable',
  failed: 'unavailable',
} as const

export function toImage(view: ImageView): z.input<typeof imageSchema> {
  const [flavor = 'unknown', version] = view.uid.split('-')
  const known = ['debian', 'ubuntu', 'fedora', 'alpine', 'rocky', 'almalinux', 'opensuse'].includes(flavor)
  return {
    id: view.id,
    type: isOwn(view.source) ? 'snapshot' : 'system',
    status: imageStatus[view.status],
    name: view.uid,
    description: view.name,
    image_size: view.storedBytes === 0 ? null : Math.round((view.storedBytes / GIB) * 100) / 100,
    disk_size: view.minDiskBytes / GIB,
    created: view.createdAt,
    created_from: null,
    bound_to: null,
    os_flavor: known ? flavor : 'unknown',
    os_version: known && version ? version : null,
    rapid_deploy: view.status === 'ready',
    protection: { delete: view.deleteProtected },
    deprecated: null,
    deleted: null,
    labels: {},
    architecture: 'x86',
  }
}

export function toSshKey(view: SshKeyView, labels: Labels): z.input<typeof sshKeySchema> {
  const blob = Buffer.from(view.publicKey.split(' ')[1] ?? '', 'base64')
  return {
    id: view.id,
    name: view.name,
    fingerprint: createHash('md5').update(blob).digest('hex').match(/../g)!.join(':'),
    public_key: view.publicKey,
    labels,
    created: view.createdAt,
  }
}

export function serverStatus(vm: VmView): z.infer<typeof serverStatusSchema> {
  if (vm.desiredState === 'deleted') return 'deleting'
  switch (vm.state) {
    case 'creating':
      return 'initializing'
    case 'starting':
    case 'running':
    case 'stopping':
      return vm.state
    case 'paused':
      return 'running'
    case 'stopped':
    case 'suspended':
    case 'crashed':
      return 'off'
    case 'unknown':
      return 'unknown'
  }
}

export function toServer(
  vm: VmView,
  facts: { location: Location; image: ImageView | undefined; labels: Labels; volumes: number[] },
): z.input<typeof serverSchema> {
  const { location, image, labels, volumes } = facts
  const ipv4 = vm.addresses.find((address) => address.includes('.'))
  const size = { cpus: vm.cpus, memoryBytes: vm.memoryBytes, diskBytes: vm.diskBytes ?? 0 }
  return {
    id: vm.id,
    name: vm.name,
    status: serverStatus(vm),
    created: vm.createdAt,
    public_net: {
      ipv4: ipv4 === undefined ? null : { id: vm.id, ip: ipv4, blocked: false, dns_ptr: vm.name },
      ipv6: null,
      floating_ips: [],
      firewalls: [],
    },
    private_net: [],
    server_type: toServerType(size, location),
    location,
    datacenter: {
      id: vm.host.id,
      name: vm.host.name,
      description: vm.host.name,
      location,
      server_types: { supported: [], available: [], available_for_migration: [] },
    },
    image: image ? toImage(image) : null,
    iso: null,
    rescue_enabled: false,
    locked: vm.action?.status === 'running',
    backup_window: null,
    outgoing_traffic: null,
    ingoing_traffic: null,
    included_traffic: 0,
    primary_disk_size: Math.round(size.diskBytes / GIB),
    protection: { delete: vm.deleteProtected, rebuild: vm.deleteProtected },
    labels,
    volumes,
    load_balancers: [],
    placement_group: null,
  }
}
