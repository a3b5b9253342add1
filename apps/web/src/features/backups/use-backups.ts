'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useSubscription } from '@trpc/tanstack-react-query'
import { useShownAtOnce } from '../../data/pending.ts'
import { includedInBackups } from '../../data/shown-at-once.ts'
import { useTRPC } from '../../data/trpc.ts'
import { tellRefusal } from '../shell/tell-refusal.ts'

/** All backups one may see and how the plan stands, live. */
export function useBackupsView() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { data, error } = useQuery(
    trpc.backup.list.queryOptions(undefined, { staleTime: Number.POSITIVE_INFINITY }),
  )
  useSubscription(
    trpc.backup.watch.subscriptionOptions(undefined, {
      onData: (view) => queries.setQueryData(trpc.backup.list.queryKey(), view),
    }),
  )
  return { data: useShownAtOnce(data, trpc.backup.setIncluded.mutationKey(), includedInBackups), error }
}

/** The same with what can be done with them. */
export function useBackups() {
  const trpc = useTRPC()
  return {
    ...useBackupsView(),
    take: useMutation(trpc.backup.take.mutationOptions({ onError: tellRefusal })),
    include: useMutation(trpc.backup.setIncluded.mutationOptions({ onError: tellRefusal })),
    restore: useMutation(trpc.backup.restore.mutationOptions({ onError: tellRefusal })),
    createVm: useMutation(trpc.backup.createVm.mutationOptions({ onError: tellRefusal })),
    verify: useMutation(trpc.backup.verify.mutationOptions({ onError: tellRefusal })),
    cancel: useMutation(trpc.backup.cancel.mutationOptions({ onError: tellRefusal })),
    remove: useMutation(trpc.backup.delete.mutationOptions({ onError: tellRefusal })),
    target: useMutation(trpc.backup.setTarget.mutationOptions()),
    plan: useMutation(trpc.backup.setPlan.mutationOptions({ onError: tellRefusal })),
  }
}

export type Backups = ReturnType<typeof useBackups>
