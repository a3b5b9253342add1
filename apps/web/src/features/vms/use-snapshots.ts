'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useSubscription } from '@trpc/tanstack-react-query'
import type { VmView } from '../../data/hooks.ts'
import { useShownAtOnce } from '../../data/pending.ts'
import { renamedSnapshot } from '../../data/shown-at-once.ts'
import { useTRPC } from '../../data/trpc.ts'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { useVmCache } from './use-vm-cache.ts'

/** The snapshots of one VM, live, and what can be done with them. */
export function useSnapshots(vmId: number) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const key = trpc.snapshot.list.queryKey({ vmId })
  const { data, error } = useQuery(
    trpc.snapshot.list.queryOptions({ vmId }, { staleTime: Number.POSITIVE_INFINITY }),
  )
  useSubscription(
    trpc.snapshot.watch.subscriptionOptions({ vmId }, { onData: (view) => queries.setQueryData(key, view) }),
  )
  const cache = useVmCache()
  const keep = ({ vm }: { vm: VmView }) => cache.keep(vm)
  return {
    data: useShownAtOnce(data, trpc.snapshot.rename.mutationKey(), renamedSnapshot),
    error,
    take: useMutation(trpc.snapshot.take.mutationOptions({ onSuccess: keep, onError: tellRefusal })),
    restore: useMutation(trpc.snapshot.restore.mutationOptions({ onSuccess: keep, onError: tellRefusal })),
    remove: useMutation(trpc.snapshot.delete.mutationOptions({ onSuccess: keep, onError: tellRefusal })),
    rename: useMutation(trpc.snapshot.rename.mutationOptions({ onError: tellRefusal })),
    createVm: useMutation(trpc.snapshot.createVm.mutationOptions({ onError: tellRefusal })),
    schedule: useMutation(trpc.snapshot.schedule.mutationOptions({ onError: tellRefusal })),
  }
}

export type Snapshots = ReturnType<typeof useSnapshots>
