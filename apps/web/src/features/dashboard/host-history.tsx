'use client'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { MetricRange } from '../../../server/views/index.ts'
import type { HostView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { bytes, number, percent } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { Chart } from '../../ui/chart.tsx'
import { Skeleton } from '../../ui/layout.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { chartFrame } from '../vms/chart-frame.ts'

const t = m.dashboard
const ranges = ['hour', 'day', 'week', 'month'] as const

/** How a box was: its load, memory, disk and, where it tells, temperature. */
export default function HostHistory({ host }: { host: HostView }) {
  const [range, setRange] = useState<MetricRange>('hour')
  const { data: series } = useQuery(
    useTRPC().metric.host.queryOptions(
      { id: host.id, range },
      { refetchInterval: 15_000, placeholderData: (before) => before },
    ),
  )
  const { info } = host
  if (!info) return null
  const title = t.overTime(host.name)
  return (
    <section aria-label={title} className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 className="font-semibold text-sm">{title}</h2>
        <Segmented
          label={`${m.metrics.range}: ${host.name}`}
          value={range}
          options={ranges.map((value) => ({ value, label: m.metrics.ranges[value] }))}
          onChange={setRange}
        />
      </div>
      {series === undefined ? (
        <div className="grid grid-cols-1 gap-5 lg:grid-cols-2" role="status" aria-label={m.common.loading}>
          {[0, 1, 2, 3].map((chart) => (
            <Skeleton key={chart} className="h-64 rounded-card!" />
          ))}
        </div>
      ) : series.at.length === 0 ? (
        <p className="card px-5 py-4 text-13 text-ink-3">{t.noHistory}</p>
      ) : (
        <div className="grid grid-cols-1 gap-5 lg:grid-cols-2">
          <Chart
            {...chartFrame(series)}
            title={t.cpu}
            hint={info.cpus === 1 ? undefined : t.coresOf(number(info.cpus))}
            curves={[{ label: t.cpu, values: series.cpu.map((value) => value && value / info.cpus) }]}
            max={1}
            format={percent}
          />
          <Chart
            {...chartFrame(series)}
            title={t.memory}
            hint={t.ofAll(bytes(info.memoryBytes))}
            curves={[{ label: t.memory, values: series.memoryBytes }]}
            max={info.memoryBytes}
            format={(value) => bytes(Math.round(value))}
          />
          <Chart
            {...chartFrame(series)}
            title={t.disk}
            hint={t.ofAll(bytes(info.diskBytes))}
            curves={[{ label: t.disk, values: series.diskUsedBytes }]}
            max={info.diskBytes}
            format={(value) => bytes(Math.round(value))}
          />
          {series.temperature.some((value) => value !== null) ? (
            <Chart
              {...chartFrame(series)}
              title={t.temperature}
              curves={[{ label: t.temperature, values: series.temperature }]}
              max={100}
              format={(value) => t.celsius(Math.round(value))}
            />
          ) : null}
        </div>
      )}
    </section>
  )
}
