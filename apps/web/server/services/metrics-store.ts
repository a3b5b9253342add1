/**
 * Keeps what hosts measure, at falling resolution: a window of fine rows is averaged into one coarser row when it is
 * over, and rows older than their resolution is kept for are removed. Nothing of it is in memory, so that a restart
 * of the portal loses no more than the samples it missed.
 */
import type { HostSample } from '@hearth/shared/metrics'
import type { Database, Queries } from '../db/client.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

/** Finest first; each is the average of the one before. `keepMs` is a little more than what a page shows of it. */
export const resolutions = [
  { seconds: 10, keepMs: HOUR + 5 * 60 * SECOND },
  { seconds: 60, keepMs: DAY + HOUR },
  { seconds: 600, keepMs: 7 * DAY + HOUR },
  { seconds: 3600, keepMs: 31 * DAY },
] as const

export const metricColumns = [
  'cpu',
  'memoryBytes',
  'guestMemoryBytes',
  'diskReadBytes',
  'diskWriteBytes',
  'diskReads',
  'diskWrites',
  'netRxBytes',
  'netTxBytes',
  'netRxPackets',
  'netTxPackets',
  'diskUsedBytes',
  'temperature',
] as const

const averages = Object.fromEntries(metricColumns.map((column) => [column, true])) as Record<
  (typeof metricColumns)[number],
  true
>

export async function keepSample(db: Database, hostId: number, sample: HostSample): Promise<void> {
  const known = await db.vm.findMany({
    where: { hostId, deletedAt: null, vmUid: { in: sample.vms.map(({ vmUid }) => vmUid) } },
    select: { id: true, vmUid: true },
  })
  const ids = new Map(known.map(({ id, vmUid }) => [vmUid, id]))
  // The portal's own clock: a host whose clock is wrong must not write into the past or the future.
  const now = Date.now()
  const { seconds: resolution } = resolutions[0]
  const at = new Date(now - (now % (resolution * SECOND)))
  const rows = [
    ...(sample.host ? [{ resourceType: 'host', resourceId: hostId, ...sample.host }] : []),
    ...sample.vms.flatMap(({ vmUid, figures }) => {
      const id = ids.get(vmUid)
      return id === undefined ? [] : [{ resourceType: 'vm', resourceId: id, ...figures }]
    }),
  ]
  await db.metric.createMany({ data: rows.map((row) => ({ ...row, resolution, at })) })
  await rollUp(db, now)
}

/** Averages every window that is over and not averaged yet, and removes what is too old. */
export async function rollUp(db: Database, now: number): Promise<void> {
  for (const [index, coarse] of resolutions.entries()) {
    const fine = resolutions[index - 1]
    if (!fine) continue
    const stepMs = coarse.seconds * SECOND
    const end = now - (now % stepMs)
    const last = await db.metric.findFirst({
      where: { resolution: coarse.seconds },
      orderBy: { at: 'desc' },
      select: { at: true },
    })
    // Further back there are no whole windows of fine rows any more.
    const oldest = Math.ceil((now - fine.keepMs) / stepMs) * stepMs
    const start = Math.max(oldest, last ? last.at.getTime() + stepMs : 0)
    if (start >= end) continue
    const first = await db.metric.findFirst({
      where: { resolution: fine.seconds, at: { gte: new Date(start), lt: new Date(end) } },
      orderBy: { at: 'asc' },
      select: { at: true },
    })
    if (!first) continue
    for (let from = Math.floor(first.at.getTime() / stepMs) * stepMs; from < end; from += stepMs)
      await db.$transaction((tx) => averageWindow(tx, fine.seconds, coarse.seconds, from))
    // Pruned when a window closes: often enough, and not with every sample.
    for (const { seconds, keepMs } of resolutions)
      await db.metric.deleteMany({ where: { resolution: seconds, at: { lt: new Date(now - keepMs) } } })
  }
}

async function averageWindow(tx: Queries, fine: number, coarse: number, from: number): Promise<void> {
  const groups = await tx.metric.groupBy({
    by: ['resourceType', 'resourceId'],
    where: { resolution: fine, at: { gte: new Date(from), lt: new Date(from + coarse * SECOND) } },
    _avg: averages,
  })
  await tx.metric.createMany({
    data: groups.map(({ resourceType, resourceId, _avg }) => ({
      resourceType,
      resourceId,
      resolution: coarse,
      at: new Date(from),
      ..._avg,
      cpu: _avg.cpu ?? 0,
      memoryBytes: _avg.memoryBytes ?? 0,
    })),
  })
}
