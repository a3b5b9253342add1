'use client'
import { useQueries } from '@tanstack/react-query'
import type { HostView, MetricSeries } from '../../../server/views/index.ts'
import { useTRPC } from '../../data/trpc.ts'

export interface HostFigures {
  /** Cores in use; null while it was not measured. */
  cpu: number | null
  temperature: number | null
}

/** How the boxes are right now: the last of what was measured in this hour. */
export function useHostFigures(hosts: readonly HostView[] | undefined): ReadonlyMap<number, HostFigures> {
  const trpc = useTRPC()
  const series = useQueries({
    queries: (hosts ?? []).map((host) =>
      trpc.metric.host.queryOptions({ id: host.id, range: 'hour' }, { refetchInterval: 15_000 }),
    ),
  })
  return new Map(
    (hosts ?? []).flatMap((host, index) => {
      const { data, isError } = series[index] ?? {}
      // Whoever cannot be told is not kept waiting either.
      if (isError && !data) return [[host.id, { cpu: null, temperature: null }] as const]
      return data ? [[host.id, latest(data)] as const] : []
    }),
  )
}

function latest(series: MetricSeries): HostFigures {
  const last = (column: readonly (number | null)[]) => column.findLast((value) => value !== null) ?? null
  return { cpu: last(series.cpu), temperature: last(series.temperature) }
}
