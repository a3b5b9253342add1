/**
 * What projects use of what they may. A reservation is one conditional UPDATE inside the transaction that makes the
 * change, so that any number of simultaneous requests stay within the limit; giving back is counting again, inside
 * the transaction that takes the thing away, so that nothing is ever given back twice or forgotten.
 *
 * Whoever adds something that counts (a snapshot, a disk, a port) calls `reserve` in the transaction that records it,
 * adds it to `countUsed`, and calls `recount` in the transaction that removes it.
 */
import { HearthError } from '@hearth/shared/errors'
import {
  type Demand,
  formatAmount,
  initialQuota,
  isVmMaximum,
  type QuotaKey,
  type QuotaLine,
  type QuotaResource,
  quotaKeys,
  type Shortfall,
  shortfalls,
} from '@hearth/shared/quota'
import type { Database, Queries } from '../db/client.ts'

/** A limit that never refuses; fits JavaScript's safe integers, which is what leaves the database. */
export const unlimited = BigInt(Number.MAX_SAFE_INTEGER)

export interface QuotaRefusal {
  projectId: number
  projectName: string
  shortfalls: Shortfall[]
}

/** Refused by the project's quota; the page offers to ask for more. */
export class QuotaError extends HearthError {
  readonly refusal: QuotaRefusal

  constructor(refusal: QuotaRefusal, whoCanRaise: string) {
    super('resource_limit_exceeded', sentence(refusal, whoCanRaise))
    this.refusal = refusal
  }
}

const counted: Partial<Record<QuotaKey, string>> = {
  vms: 'VM',
  vcpus: 'vCPU',
  ports: 'public port',
  vm_vcpus: 'vCPU',
}
const measured: Partial<Record<QuotaKey, string>> = {
  memory: 'memory',
  disk: 'disk space',
  snapshots: 'space for snapshots',
  vm_memory: 'memory',
  vm_disk: 'disk space',
}

function quantity(key: QuotaKey, amount: number): string {
  const one = counted[key]
  const number = formatAmount(key, amount, 'en')
  return one ? `${number} ${one}${amount === 1 ? '' : 's'}` : `${number} of ${measured[key]}`
}

function sentence({ projectName, shortfalls: all }: QuotaRefusal, whoCanRaise: string): string {
  const parts = all.map((short) => {
    const { key, asked, left, limit } = short
    const needs = formatAmount(key, asked, 'en')
    if (isVmMaximum(key))
      return `a VM may have at most ${quantity(key, left)}, and this one asks for ${needs}`
    const whole = formatAmount(key, limit ?? 0, 'en')
    return `${quantity(key, left)} left (the quota is ${whole}), and this needs ${needs}`
  })
  return `${projectName}: ${parts.join('; ')}. ${whoCanRaise} can raise the quota.`
}

/** The rows that say what projects may use exist from the first start on. Call it at each start. */
async function ensureQuota(queries: Queries): Promise<void> {
  for (const key of quotaKeys) {
    const max = BigInt(initialQuota[key])
    await queries.quotaDefault.upsert({ where: { key }, create: { key, max }, update: {} })
  }
  const projects = await queries.project.findMany({ include: { quota: true }, orderBy: { id: 'asc' } })
  for (const [index, project] of projects.entries()) {
    const missing = quotaKeys.filter((key) => !project.quota.some((row) => row.key === key))
    await openQuota(queries, project.id, missing, index === 0 ? unlimited : null)
  }
}

/** The rows of a project. `max` null: it follows the home's default. */
export async function openQuota(
  queries: Queries,
  projectId: number,
  keys: readonly QuotaKey[] = quotaKeys,
  max: bigint | null = null,
): Promise<void> {
  await queries.quota.createMany({ data: keys.map((key) => ({ projectId, key, max })) })
}

export const limitOf = (max: bigint): number | null => (max >= unlimited ? null : Number(max))

export async function quotaLines(queries: Queries, projectId: number): Promise<QuotaLine[]> {
  const rows = await queries.quota.findMany({ where: { projectId } })
  const defaults = new Map((await queries.quotaDefault.findMany()).map(({ key, max }) => [key, max]))
  return quotaKeys.map((key) => {
    const row = rows.find((one) => one.key === key)
    const max = row?.max ?? defaults.get(key) ?? 0n
    return { key, used: Number(row?.used ?? 0n), limit: limitOf(max) }
  })
}

/** Takes all of `demand` or, by throwing out of the transaction, none of it. */
export async function reserve(tx: Queries, projectId: number, demand: Demand): Promise<void> {
  for (const key of quotaKeys) {
    const amount = BigInt(demand[key] ?? 0)
    if (amount <= 0n) continue
    // A maximum of one VM takes nothing: it is only compared.
    const taken = isVmMaximum(key) ? 0n : amount
    const changed = await tx.$executeRaw`
      UPDATE quota SET used = used + ${taken}
      WHERE project_id = ${projectId} AND key = ${key}
        AND used + ${amount} <= COALESCE(max, (SELECT d.max FROM quota_default d WHERE d.key = quota.key))`
    if (changed === 0) throw await refusalOf(tx, projectId, demand, key)
  }
}

async function refusalOf(tx: Queries, projectId: number, demand: Demand, key: QuotaKey): Promise<Error> {
  const project = await tx.project.findUniqueOrThrow({ where: { id: projectId } })
  const admins = await tx.user.findMany({ where: { role: 'admin' }, select: { name: true }, take: 3 })
  // What was taken before the refusal in this same transaction is still counted; it goes back with it.
  const taken = quotaKeys.slice(0, quotaKeys.indexOf(key))
  const lines = (await quotaLines(tx, projectId)).map((line) =>
    taken.includes(line.key) && !isVmMaximum(line.key)
      ? { ...line, used: line.used - (demand[line.key] ?? 0) }
      : line,
  )
  const names = admins.map(({ name }) => name).join(' or ') || 'An administrator'
  return new QuotaError(
    { projectId, projectName: project.name, shortfalls: shortfalls(lines, demand) },
    names,
  )
}

/** What there is, by its own rows. */
async function countUsed(tx: Queries, projectId: number): Promise<Record<QuotaResource, bigint>> {
  const alive = { projectId, deletedAt: null }
  const vms = await tx.vm.aggregate({
    where: alive,
    _count: true,
    _sum: { chargedCpus: true, chargedMemoryBytes: true },
  })
  const volumes = await tx.volume.aggregate({ where: alive, _sum: { bytes: true } })
  const snapshots = await tx.snapshot.aggregate({ where: alive, _sum: { storedBytes: true } })
  const disks = await tx.disk.aggregate({ where: alive, _sum: { bytes: true } })
  const ports = await tx.publicPort.count({ where: { projectId } })
  return {
    vms: BigInt(vms._count),
    vcpus: BigInt(vms._sum.chargedCpus ?? 0),
    memory: vms._sum.chargedMemoryBytes ?? 0n,
    disk: (disks._sum.bytes ?? 0n) + (volumes._sum.bytes ?? 0n),
    snapshots: snapshots._sum.storedBytes ?? 0n,
    ports: BigInt(ports),
  }
}

/** Counts a project's use again; call it in the transaction that took something away. */
export async function recount(tx: Queries, projectId: number): Promise<void> {
  // Takes the rows' locks first: whoever reserves at the same time is counted either before or after, never lost.
  await tx.$executeRaw`UPDATE quota SET used = used WHERE project_id = ${projectId}`
  const used = await countUsed(tx, projectId)
  for (const [key, amount] of Object.entries(used))
    await tx.quota.updateMany({ where: { projectId, key }, data: { used: amount } })
}

/** At the portal's start: whatever a crash left half-way is counted anew. */
export async function reconcileQuota(
  db: Database,
  settle: (tx: Queries, vmId: number) => Promise<void>,
): Promise<void> {
  await db.$transaction(async (tx) => {
    await ensureQuota(tx)
    const vms = await tx.vm.findMany({
      where: { OR: [{ deletedAt: null }, { chargedCpus: { gt: 0 } }] },
      select: { id: true },
    })
    for (const { id } of vms) await settle(tx, id)
    for (const { id } of await tx.project.findMany({ select: { id: true } })) await recount(tx, id)
  })
}
