'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useSubscription } from '@trpc/tanstack-react-query'
import { errorMessage } from '../../data/errors.ts'
import type { VmView } from '../../data/hooks.ts'
import { useShownAtOnce } from '../../data/pending.ts'
import { renamedSnapshot } from '../../data/shown-at-once.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/index.ts'
import { toast } from '../../ui/toast.tsx'

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
  const onError = (failure: unknown) =>
    toast.error(m.common.failed, errorMessage(failure, m.entry.signIn.unreachable))
  const keep = ({ vm }: { vm: VmView }) =>
    queries.setQueryData(trpc.vm.list.queryKey(), (list) =>
      list?.map((each) => (each.id === vm.id ? vm : each)),
    )
  return {
    data: useShownAtOnce(data, trpc.snapshot.rename.mutationKey(), renamedSnapshot),
    error,
    take: useMutation(trpc.snapshot.take.mutationOptions({ onSuccess: keep, onError })),
    restore: useMutation(trpc.snapshot.restore.mutationOptions({ onSuccess: keep, onError })),
    remove: useMutation(trpc.snapshot.delete.mutationOptions({ onSuccess: keep, onError })),
    rename: useMutation(trpc.snapshot.rename.mutationOptions({ onError })),
    createVm: useMutation(trpc.snapshot.createVm.mutationOptions({ onError })),
    schedule: useMutation(trpc.snapshot.schedule.mutationOptions({ onError })),
  }
}

export type Snapshots = ReturnType<typeof useSnapshots>
