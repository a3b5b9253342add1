/**
 * vCPU and memory of VMs that run or start: of the project's quota, and of what the host has. A start reserves before
 * the host is asked; everything after that follows what the host reports.
 */
import type { HostInfo } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import { maximumDemand, runningDemand } from '@hearth/shared/quota'
import { formatBytes, MIB } from '@hearth/shared/units'
import type { Queries } from '../db/client.ts'
import type { Vm } from '../generated/client.ts'
import { recount, reserve } from './quota.ts'

/** Kept from VMs, whatever the administrator allows beyond: the host's kernel, agent and the portal itself. */
const hostOwnBytes = 512 * MIB

/** What VMs on a host may have together, in bytes. */
function hostCapacity(info: Pick<HostInfo, 'memoryBytes'>, memoryPercent: number): number {
  return Math.max(0, Math.floor((info.memoryBytes * memoryPercent) / 100) - hostOwnBytes)
}

type Figures = Pick<Vm, 'id' | 'projectId' | 'hostId' | 'cpus' | 'memoryBytes' | 'diskBytes'>

const figuresOf = (vm: Figures) => ({
  cpus: vm.cpus,
  memoryBytes: Number(vm.memoryBytes),
  diskBytes: vm.diskBytes === null ? null : Number(vm.diskBytes),
})

/** Before a VM that exists starts: takes its vCPU and memory, or refuses. */
export async function chargeStart(tx: Queries, vm: Vm): Promise<void> {
  // A VM that crashed a moment ago may still have them.
  if (vm.chargedCpus > 0) return
  const figures = figuresOf(vm)
  await reserve(tx, vm.projectId, { ...runningDemand(figures), ...maximumDemand(figures) })
  await chargeHost(tx, vm)
}

/** The host's part, and what the VM's row keeps of it. The project's part is taken already. */
export async function chargeHost(tx: Queries, vm: Figures): Promise<void> {
  const host = await tx.host.findUniqueOrThrow({ where: { id: vm.hostId } })
  const home = await tx.home.findUnique({ where: { id: 1 } })
  if (host.info !== null) {
    // Written by observeHost, parsed by the agent's client.
    const capacity = hostCapacity(JSON.parse(host.info) as HostInfo, home?.memoryPercent ?? 100)
    const fits = await tx.host.updateMany({
      where: { id: host.id, chargedMemoryBytes: { lte: BigInt(capacity) - vm.memoryBytes } },
      data: { chargedMemoryBytes: { increment: vm.memoryBytes } },
    })
    if (fits.count === 0) {
      const left = Math.max(0, capacity - Number(host.chargedMemoryBytes))
      throw new HearthError(
        'resource_limit_exceeded',
        `${host.name} has ${formatBytes(left)} of memory left for VMs, and this one needs ` +
          `${formatBytes(Number(vm.memoryBytes))}. Stop another VM first; the quota has nothing to do with it.`,
      )
    }
  }
  await tx.vm.update({
    where: { id: vm.id },
    data: { chargedCpus: vm.cpus, chargedMemoryBytes: vm.memoryBytes },
  })
}

const starting = ['create_vm', 'start_vm', 'reboot_vm', 'reset_vm', 'rebuild_vm']
const running = ['starting', 'running', 'paused', 'stopping']

/**
 * Brings what a VM is charged in line with what it does; without a limit, because what runs runs. Call it in the
 * transaction that changed the VM's state, its action or its deletion.
 */
export async function settleCharge(tx: Queries, vmId: number): Promise<void> {
  const vm = await tx.vm.findUniqueOrThrow({ where: { id: vmId }, include: { heldByAction: true } })
  const wanted = (await takes(tx, vm)) && vm.deletedAt === null
  const [cpus, memoryBytes] = wanted ? [vm.cpus, vm.memoryBytes] : [0, 0n]
  if (vm.chargedCpus === cpus && vm.chargedMemoryBytes === memoryBytes) return
  await tx.vm.update({ where: { id: vm.id }, data: { chargedCpus: cpus, chargedMemoryBytes: memoryBytes } })
  await recount(tx, vm.projectId)
  await recountHost(tx, vm.hostId)
}

async function takes(tx: Queries, vm: Vm & { heldByAction: { command: string } | null }): Promise<boolean> {
  if (vm.observedState !== null && running.includes(vm.observedState)) return true
  const wished = vm.desiredState === 'running'
  if (vm.heldByAction) return wished && starting.includes(vm.heldByAction.command)
  if (vm.observedState === 'creating') return wished
  if (vm.chargedCpus === 0 || !wished) return false
  // A start that has just succeeded may be told before the state it led to: it keeps what it took until then.
  const last = await tx.action.findFirst({
    where: { resources: { some: { resourceType: 'vm', resourceId: vm.id } }, command: { in: starting } },
    orderBy: { id: 'desc' },
  })
  if (last?.status !== 'success') return false
  return vm.observedSince === null || vm.observedSince < last.startedAt
}

async function recountHost(tx: Queries, hostId: number): Promise<void> {
  await tx.$executeRaw`UPDATE host SET charged_memory_bytes = charged_memory_bytes WHERE id = ${hostId}`
  const { _sum } = await tx.vm.aggregate({
    where: { hostId, deletedAt: null },
    _sum: { chargedMemoryBytes: true },
  })
  await tx.host.update({
    where: { id: hostId },
    data: { chargedMemoryBytes: _sum.chargedMemoryBytes ?? 0n },
  })
}
