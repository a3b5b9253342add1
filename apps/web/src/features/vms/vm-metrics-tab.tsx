'use client'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useSubscription } from '@trpc/tanstack-react-query'
import { Activity } from 'lucide-react'
import { useSearchParams } from 'next/navigation'
import type { MetricRange, MetricSeries } from '../../../server/views/index.ts'
import { useTRPC } from '../../data/trpc.ts'
import { changeAddress } from '../../lib/address-query.ts'
import { bytes, number, percent } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { Chart } from '../../ui/chart.tsx'
import { niceMax } from '../../ui/chart-shape.ts'
import { EmptyState, Skeleton } from '../../ui/layout.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { chartFrame, highest } from './chart-frame.ts'
import { useVmPage } from './vm-context.ts'

const t = m.metrics
const ranges = ['hour', 'day', 'week', 'month'] as const

/** The figures of one VM over a range of time, live. */
function useVmMetrics(id: number, range: MetricRange) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const input = { id, range }
  const query = useQuery(
    trpc.metric.vm.queryOptions(input, { placeholderData: (before) => before, staleTime: 10_000 }),
  )
  useSubscription(
    trpc.metric.watchVm.subscriptionOptions(input, {
      onData: (series) => queries.setQueryData(trpc.metric.vm.queryKey(input), series),
    }),
  )
  return query
}

export function VmMetricsTab() {
  const { vm } = useVmPage()
  const asked = useSearchParams().get('range')
  const range = ranges.find((each) => each === asked) ?? 'hour'
  const { data, error } = useVmMetrics(vm.id, range)
  if (error && !data) return <LoadError error={error} />
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Segmented
          label={t.range}
          value={range}
          options={ranges.map((value) => ({ value, label: t.ranges[value] }))}
          onChange={(chosen) => changeAddress({ range: chosen === 'hour' ? undefined : chosen })}
        />
        <p className="text-13 text-ink-3">{data ? t.resolution(stepText(data.step)) : ''}</p>
      </div>
      {data === undefined ? (
        <div className="grid grid-cols-1 gap-5 lg:grid-cols-2" role="status" aria-label={m.common.loading}>
          {[0, 1, 2, 3].map((chart) => (
            <Skeleton key={chart} className="h-64 rounded-card!" />
          ))}
        </div>
      ) : data.at.length === 0 ? (
        <section className="card">
          <EmptyState art={<Activity className="size-8 text-ink-3" aria-hidden="true" />} title={t.empty}>
            {vm.state === 'running' ? t.emptyRunning : t.emptyStopped}
          </EmptyState>
        </section>
      ) : (
        <Charts series={data} />
      )}
    </div>
  )
}

function stepText(seconds: number): string {
  return seconds < 60
    ? t.seconds(seconds)
    : seconds < 3600
      ? t.minutes(seconds / 60)
      : t.hours(seconds / 3600)
}

function Charts({ series }: { series: MetricSeries }) {
  const { vm } = useVmPage()
  const shared = chartFrame(series)
  const rate = (value: number) => t.perSecond(bytes(Math.round(value)))
  // Guests without the balloon's driver tell nothing.
  const tellsMemory = series.guestMemoryBytes.some((value) => value !== null)
  const { diskReadBytes, diskWriteBytes, netRxBytes, netTxBytes, diskReads, diskWrites } = series
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-2">
      <Chart
        {...shared}
        title={t.cpu}
        hint={m.vms.vcpus(vm.cpus)}
        curves={[
          { label: t.cpu, values: series.cpu.map((value) => (value === null ? null : value / vm.cpus)) },
        ]}
        // Work of its devices is counted too, so that a busy VM may pass its own vCPUs.
        max={Math.max(1, Math.ceil(highest(series.cpu) / vm.cpus))}
        format={percent}
      />
      <Chart
        {...shared}
        title={t.memory}
        hint={tellsMemory ? t.memoryMax(bytes(vm.memoryBytes)) : t.memoryHint(bytes(vm.memoryBytes))}
        curves={[
          { label: tellsMemory ? t.memoryOfHost : t.memory, values: series.memoryBytes },
          ...(tellsMemory ? [{ label: t.memoryOfGuest, values: series.guestMemoryBytes }] : []),
        ]}
        max={Math.max(vm.memoryBytes, niceMax(highest(series.memoryBytes), 2, 1))}
        format={(value) => bytes(Math.round(value))}
      />
      <Chart
        {...shared}
        title={t.disk}
        curves={[
          { label: t.read, values: diskReadBytes },
          { label: t.write, values: diskWriteBytes },
        ]}
        max={niceMax(highest(diskReadBytes, diskWriteBytes), 2, 16 * 1024)}
        format={rate}
      />
      <Chart
        {...shared}
        title={t.network}
        curves={[
          { label: t.in, values: netRxBytes },
          { label: t.out, values: netTxBytes },
        ]}
        max={niceMax(highest(netRxBytes, netTxBytes), 2, 1024)}
        format={rate}
      />
      <Chart
        {...shared}
        title={t.diskOps}
        curves={[
          { label: t.read, values: diskReads },
          { label: t.write, values: diskWrites },
        ]}
        max={niceMax(highest(diskReads, diskWrites), 10, 10)}
        format={(value) => t.perSecond(number(value))}
      />
      <Chart
        {...shared}
        title={t.packets}
        curves={[
          { label: t.in, values: series.netRxPackets },
          { label: t.out, values: series.netTxPackets },
        ]}
        max={niceMax(highest(series.netRxPackets, series.netTxPackets), 10, 10)}
        format={(value) => t.perSecond(number(value))}
      />
    </div>
  )
}
