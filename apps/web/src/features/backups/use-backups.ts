'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useSubscription } from '@trpc/tanstack-react-query'
import { errorMessage } from '../../data/errors.ts'
import { useShownAtOnce } from '../../data/pending.ts'
import { includedInBackups } from '../../data/shown-at-once.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/index.ts'
import { toast } from '../../ui/toast.tsx'

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
  const onError = (failure: unknown) =>
    toast.error(m.common.failed, errorMessage(failure, m.entry.signIn.unreachable))
  return {
    ...useBackupsView(),
    take: useMutation(trpc.backup.take.mutationOptions({ onError })),
    include: useMutation(trpc.backup.setIncluded.mutationOptions({ onError })),
    restore: useMutation(trpc.backup.restore.mutationOptions({ onError })),
    createVm: useMutation(trpc.backup.createVm.mutationOptions({ onError })),
    verify: useMutation(trpc.backup.verify.mutationOptions({ onError })),
    cancel: useMutation(trpc.backup.cancel.mutationOptions({ onError })),
    remove: useMutation(trpc.backup.delete.mutationOptions({ onError })),
    target: useMutation(trpc.backup.setTarget.mutationOptions()),
    plan: useMutation(trpc.backup.setPlan.mutationOptions({ onError })),
  }
}

export type Backups = ReturnType<typeof useBackups>
