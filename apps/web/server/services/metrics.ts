/** What was measured, as pages and scripts read it. Keeping it is metrics-store.ts. */
import type { Metric } from '../generated/client.ts'
import type { MetricRange, MetricSeries } from '../views/metric.ts'
import { standingOf } from './access.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import { type metricColumns, resolutions } from './metrics-store.ts'
import type { PortalServices } from './types.ts'

const HOUR = 3600_000
const DAY = 24 * HOUR
/** Older figures say nothing about now: three samples that did not come. */
const latestMs = 40_000
const ranges: Record<MetricRange, { ms: number; step: number }> = {
  hour: { ms: HOUR, step: 10 },
  day: { ms: DAY, step: 60 },
  week: { ms: 7 * DAY, step: 600 },
  month: { ms: 30 * DAY, step: 3600 },
}

function toSeries(rows: readonly Metric[], span: { start: number; end: number; step: number }): MetricSeries {
  const column = (name: (typeof metricColumns)[number]) => rows.map((row) => significant(row[name]))
  return {
    ...span,
    at: rows.map(({ at }) => at.getTime()),
    cpu: column('cpu'),
    memoryBytes: column('memoryBytes'),
    guestMemoryBytes: column('guestMemoryBytes'),
    diskReadBytes: column('diskReadBytes'),
    diskWriteBytes: column('diskWriteBytes'),
    diskReads: column('diskReads'),
    diskWrites: column('diskWrites'),
    netRxBytes: column('netRxBytes'),
    netTxBytes: column('netTxBytes'),
    netRxPackets: column('netRxPackets'),
    netTxPackets: column('netTxPackets'),
    diskUsedBytes: column('diskUsedBytes'),
    temperature: column('temperature'),
  }
}

/** Four digits are more than anybody measures here, and a third of the bytes on the wire. */
function significant(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4))
}

export function metricsService({ db, changes }: ServiceContext): PortalServices['metrics'] {
  const read = async (
    resource: { resourceType: 'vm' | 'host'; resourceId: number },
    span: { start: number; end: number; step: number },
  ) => {
    const rows = await db.metric.findMany({
      where: {
        ...resource,
        resolution: span.step,
        at: { gte: new Date(span.start), lte: new Date(span.end) },
      },
      orderBy: { at: 'asc' },
    })
    return toSeries(rows, span)
  }
  const last = (range: MetricRange) => {
    const { ms, step } = ranges[range]
    const now = Date.now()
    // In whole steps, so that a value that did not change is not sent again.
    const end = now - (now % (step * 1000))
    return { start: end - ms, end, step }
  }
  const ofVm = async (id: number, range: MetricRange) => {
    if ((await db.vm.count({ where: { id } })) === 0) throw notFound('VM')
    return read({ resourceType: 'vm', resourceId: id }, last(range))
  }
  const ofHost = async (id: number, range: MetricRange) => {
    if ((await db.host.count({ where: { id } })) === 0) throw notFound('host')
    return read({ resourceType: 'host', resourceId: id }, last(range))
  }
  return {
    async latest(viewer) {
      const { visible } = await standingOf(db, viewer)
      const vms = await db.vm.findMany({
        where: { deletedAt: null, observedState: { in: ['running', 'paused', 'stopping'] }, ...visible },
        select: { id: true },
      })
      const rows = await db.metric.findMany({
        where: {
          resourceType: 'vm',
          resourceId: { in: vms.map(({ id }) => id) },
          resolution: resolutions[0].seconds,
          at: { gte: new Date(Date.now() - latestMs) },
        },
        orderBy: { at: 'asc' },
      })
      // The last of each stays.
      const last = new Map(rows.map((row) => [row.resourceId, row]))
      return [...last.values()].map((row) => ({
        vmId: row.resourceId,
        cpu: significant(row.cpu) ?? 0,
        memoryBytes: significant(row.memoryBytes) ?? 0,
        guestMemoryBytes: significant(row.guestMemoryBytes),
        netBytes: significant((row.netRxBytes ?? 0) + (row.netTxBytes ?? 0)) ?? 0,
      }))
    },
    ofVm,
    watchVm: (id, range, signal) => changes.watch(['metrics'], () => ofVm(id, range), signal),
    ofHost,
    watchHost: (id, range, signal) => changes.watch(['metrics'], () => ofHost(id, range), signal),
    async between(id, start, end) {
      const age = Date.now() - start.getTime()
      const { seconds: step } = resolutions.find(({ keepMs }) => keepMs >= age) ?? resolutions.at(-1)!
      return read(
        { resourceType: 'vm', resourceId: id },
        { start: start.getTime(), end: end.getTime(), step },
      )
    },
  }
}
