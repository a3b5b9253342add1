'use client'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { VmNow } from '../../../server/views/index.ts'
import { useTRPC } from '../../data/trpc.ts'

/** How each running VM is now, by its id; asked for only where it is shown. */
export function useVmsNow(): ReadonlyMap<number, VmNow> {
  const { data } = useQuery(
    useTRPC().metric.latest.queryOptions(undefined, { refetchInterval: 10_000, staleTime: 5_000 }),
  )
  return useMemo(() => new Map(data?.map((now) => [now.vmId, now])), [data])
}
