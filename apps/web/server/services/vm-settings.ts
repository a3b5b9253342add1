/**
 * Settings of a VM that exists: name, size, network, start at boot, protection, labels. What the host must know goes to it
 * as a new generation of the specification; what only the portal keeps is written at once.
 */
import { HearthError } from '@hearth/shared/errors'
import { maximumDemand } from '@hearth/shared/quota'
import { formatBytes } from '@hearth/shared/units'
import { parseVmSpec, type VmBoot, type VmSpec } from '@hearth/shared/vm-spec'
import type { WatchdogAction } from '@hearth/shared/watchdog'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { ActionView } from '../views/action.ts'
import { beginAction } from './actions.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { isUniqueViolation } from './errors.ts'
import { requireOpenBridge } from './host-bridges.ts'
import { writeLabels } from './labels.ts'
import { followPorts, portError, reservePorts } from './public-ports.ts'
import { reserve } from './quota.ts'
import type { VmUpdateRequest } from './types.ts'
import { change, refusedOr } from './vm-change.ts'
import { changeOf } from './vm-create.ts'
import { changedFolders, type FoldersWish, foldersSummary, requireOffered, sharedSpec } from './vm-folders.ts'
import { changedLimits, type LimitsWish, limitedSpec, limitsSummary } from './vm-limits.ts'
import { changedNetwork, type NetworkWish, networkSummary } from './vm-network.ts'
import { ensureAble } from './vm-rules.ts'
import { hostInfoOf, requireSize } from './vm-size.ts'
import { conditionOf, findVm, type VmRow, vmView } from './vms.ts'
import { followVolumes } from './volume-rows.ts'

export interface VmUpdated {
  vm: Awaited<ReturnType<typeof vmView>>
  /** The work at the host; null when nothing of it had to change. */
  action: ActionView | null
}

export async function updateVm(
  context: ServiceContext,
  viewer: Viewer,
  input: VmUpdateRequest,
): Promise<VmUpdated> {
  const { db, changes } = context
  const current = await findVm(db, input.id)
  const wanted = changedParts(current, input)
  const outcome = wanted === null ? null : await changeSpec(context, viewer, input, wanted)
  if (input.labels !== undefined) {
    const { labels } = input
    await db.$transaction(async (tx) => {
      if (!(await writeLabels(tx, 'vm', current.id, labels))) return
      await note(tx, viewer, current, `Changed the labels of ${current.name}`)
    })
  }
  changes.publish('vms')
  return { vm: await vmView(context, input.id), action: outcome }
}

type SpecPart = Partial<Pick<VmSpec, 'name' | 'cpus' | 'memoryBytes' | 'diskBytes' | 'startAtBoot'>> & {
  /** null: as its image does. */
  boot?: VmBoot | null
  /** null: none. */
  display?: VmSpec['display'] | null
  watchdog?: WatchdogAction | null
} & NetworkWish &
  LimitsWish &
  FoldersWish

/** What differs from what is wanted already; null when nothing does. */
function changedParts(vm: VmRow, input: VmUpdateRequest): SpecPart | null {
  const spec = parseVmSpec(JSON.parse(vm.spec))
  const wanted: SpecPart = {
    ...changedNetwork(spec, input),
    ...changedLimits(spec, input),
    ...changedFolders(spec, input),
  }
  if (input.name !== undefined && input.name !== spec.name) wanted.name = input.name
  if (input.cpus !== undefined && input.cpus !== spec.cpus) wanted.cpus = input.cpus
  if (input.memoryBytes !== undefined && input.memoryBytes !== spec.memoryBytes)
    wanted.memoryBytes = input.memoryBytes
  if (input.diskBytes !== undefined && input.diskBytes !== spec.diskBytes) {
    if (spec.diskBytes === undefined)
      throw new HearthError('invalid_input', `${vm.name} has no disk of its own that could grow.`)
    if (input.diskBytes < spec.diskBytes)
      throw new HearthError(
        'invalid_input',
        `A disk can grow, but not shrink: it has ${formatBytes(spec.diskBytes)} already.`,
      )
    wanted.diskBytes = input.diskBytes
  }
  if (input.startAtBoot !== undefined && input.startAtBoot !== spec.startAtBoot)
    wanted.startAtBoot = input.startAtBoot
  if (input.boot !== undefined && input.boot !== (spec.boot ?? null)) {
    if (input.boot !== null && input.boot !== 'direct' && spec.diskBytes === undefined)
      throw new HearthError('invalid_input', `${vm.name} has no disk that firmware could start.`)
    wanted.boot = input.boot
  }
  if (input.display !== undefined && !sameDisplay(input.display ?? undefined, spec.display))
    wanted.display = input.display
  if (input.watchdog !== undefined && input.watchdog !== (spec.watchdog ?? null))
    wanted.watchdog = input.watchdog
  return Object.keys(wanted).length === 0 ? null : wanted
}

async function changeSpec(
  context: ServiceContext,
  viewer: Viewer,
  input: VmUpdateRequest,
  wanted: SpecPart,
): Promise<ActionView> {
  const resizes =
    wanted.cpus !== undefined || wanted.memoryBytes !== undefined || wanted.diskBytes !== undefined
  const moves = wanted.bridge !== undefined
  try {
    const action = await change(context, viewer, {
      what: resizes || moves ? 'resize' : 'update',
      command: 'update_vm',
      id: input.id,
      idempotencyKey: input.idempotencyKey,
      asked: wanted,
      plan: async (vm, tx) => {
        const before = parseVmSpec(JSON.parse(vm.spec))
        const spec = parseVmSpec({
          ...before,
          ...wanted,
          boot: wanted.boot === undefined ? before.boot : (wanted.boot ?? undefined),
          display: wanted.display === undefined ? before.display : (wanted.display ?? undefined),
          watchdog: wanted.watchdog === undefined ? before.watchdog : (wanted.watchdog ?? undefined),
          ...limitedSpec(before, wanted),
          ...sharedSpec(before, wanted),
          bridge: moves ? (wanted.bridge ?? undefined) : before.bridge,
          // On another network the box neither forwards to it nor filters for it.
          ...(wanted.bridge ? { forwards: undefined, firewall: undefined } : {}),
          generation: vm.generation + 1,
        })
        if (resizes)
          requireSize(
            { ...spec, diskBytes: spec.diskBytes },
            vm.image,
            hostInfoOf(vm.host, context.hosts.isOnline(vm.hostId)),
          )
        if (wanted.folders !== undefined)
          requireOffered(before, wanted, hostInfoOf(vm.host, context.hosts.isOnline(vm.hostId)))
        if (moves) requireOpenBridge(vm.host, wanted.bridge)
        if (resizes) await reserveResize(tx, vm, spec)
        if (wanted.forwards) await reservePorts(tx, vm, spec)
        await writeSpec(tx, vm.id, spec, vm.spec)
        return { request: { kind: 'update', spec }, summary: summaryOf(before, wanted) }
      },
    })
    return (await refusedOr(context, action)).action
  } catch (error) {
    if (isUniqueViolation(error, 'name'))
      throw new HearthError(
        'uniqueness_error',
        `There is a VM named ${wanted.name} already. Choose another name.`,
      )
    throw portError(error)
  }
}

/** What it grows by, of the project's quota; a resize that comes to nothing is counted back with its action. */
function reserveResize(tx: Queries, vm: VmRow, { cpus, memoryBytes, diskBytes }: VmSpec): Promise<void> {
  const grown = (diskBytes ?? 0) - Number(vm.diskBytes ?? 0n)
  const figures = { cpus, memoryBytes, diskBytes: diskBytes ?? null }
  return reserve(tx, vm.projectId, { ...maximumDemand(figures), disk: grown })
}

/** The columns that repeat the specification follow it, always together. */
export async function writeSpec(
  tx: Queries,
  vmId: number,
  spec: VmSpec,
  previousSpec: string | null,
): Promise<void> {
  const diskBytes = spec.diskBytes === undefined ? null : BigInt(spec.diskBytes)
  const vm = await tx.vm.update({
    where: { id: vmId },
    data: {
      name: spec.name,
      cpus: spec.cpus,
      memoryBytes: BigInt(spec.memoryBytes),
      diskBytes,
      startAtBoot: spec.startAtBoot,
      generation: spec.generation,
      spec: JSON.stringify(spec),
      previousSpec,
    },
  })
  if (diskBytes !== null)
    await tx.disk.updateMany({
      where: { vmId, role: 'system', deletedAt: null },
      data: { bytes: diskBytes },
    })
  await followVolumes(tx, vmId, spec)
  await followPorts(tx, vm, previousSpec === null ? [spec] : [spec, parseVmSpec(JSON.parse(previousSpec))])
}

const bootSummary = {
  image: 'starts as its image does',
  direct: 'starts by the kernel beside its disk',
  bios: 'starts by BIOS',
  uefi: 'starts by UEFI',
} as const

const watchdogSummary = {
  none: 'has no watchdog from its next start on',
  reset: 'is reset when its guest hangs, from its next start on',
  poweroff: 'is switched off when its guest hangs, from its next start on',
  pause: 'is held still when its guest hangs, from its next start on',
  event: 'is spoken of when its guest hangs, from its next start on',
} as const

const sameDisplay = (a: VmSpec['display'], b: VmSpec['display']): boolean =>
  a?.keyboard === b?.keyboard && (a?.screens ?? 1) === (b?.screens ?? 1)

function summaryOf(before: VmSpec, wanted: SpecPart): string {
  const { name, cpus, memoryBytes, diskBytes, startAtBoot, boot, display, watchdog } = wanted
  const parts: string[] = []
  if (name !== undefined) parts.push(`renamed to ${name}`)
  if (cpus !== undefined) parts.push(`now has ${cpus} ${cpus === 1 ? 'vCPU' : 'vCPUs'}`)
  if (memoryBytes !== undefined) parts.push(`now has ${formatBytes(memoryBytes, 'en')} of memory`)
  if (diskBytes !== undefined) parts.push(`its disk grew to ${formatBytes(diskBytes, 'en')}`)
  if (startAtBoot !== undefined)
    parts.push(startAtBoot ? 'now starts with its host' : 'no longer starts with its host')
  if (boot !== undefined) parts.push(bootSummary[boot ?? 'image'])
  if (display === null) parts.push('has no screen from its next start on')
  else if (display && before.display) {
    if (display.keyboard !== before.display.keyboard) parts.push(`its keyboard is now ${display.keyboard}`)
    const screens = display.screens ?? 1
    if (screens !== (before.display.screens ?? 1))
      parts.push(
        screens === 1
          ? 'has one screen from its next start on'
          : `has ${screens} screens from its next start on`,
      )
  } else if (display) parts.push('has a screen from its next start on')
  if (watchdog !== undefined) parts.push(watchdogSummary[watchdog ?? 'none'])
  parts.push(...networkSummary(before, wanted), ...limitsSummary(wanted), ...foldersSummary(before, wanted))
  return `${before.name}: ${parts.join(', ')}`
}

/** Protection is the portal's own: it works while the host is away, too. */
export async function protectVm(
  context: ServiceContext,
  viewer: Viewer,
  { id, deleteProtected }: { id: number; deleteProtected: boolean },
): Promise<{ vm: VmUpdated['vm']; action: ActionView }> {
  const { db, changes } = context
  const action = await db.$transaction(async (tx) => {
    const vm = await findVm(tx, id)
    const condition = conditionOf(context, vm)
    // What is being deleted is past protecting.
    if (condition.heldBy === 'delete_vm') ensureAble('update', condition)
    await tx.vm.update({ where: { id }, data: { deleteProtected } })
    return beginAction(tx, {
      command: 'protect_vm',
      viewer,
      projectId: vm.projectId,
      hostId: vm.hostId,
      vmId: id,
      request: null,
      summary: deleteProtected
        ? `Protected ${vm.name} from deletion`
        : `${vm.name} is no longer protected from deletion`,
      step: 'Done',
    })
  })
  changes.publish('vms', 'actions')
  return changeOf(context, action)
}

function note(tx: Queries, viewer: Viewer, vm: VmRow, summary: string): Promise<void> {
  return record(tx, {
    kind: 'vm.update',
    summary,
    actor: actorOf(viewer),
    from: viewer.from,
    projectId: vm.projectId,
    vmId: vm.id,
  })
}
