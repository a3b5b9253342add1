'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useSubscription } from '@trpc/tanstack-react-query'
import { errorMessage } from '../../data/errors.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/index.ts'
import { toast } from '../../ui/toast.tsx'

/** All volumes one may see, live, and what can be done with them. */
export function useVolumes() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { data, error } = useQuery(
    trpc.volume.list.queryOptions(undefined, { staleTime: Number.POSITIVE_INFINITY }),
  )
  useSubscription(
    trpc.volume.watch.subscriptionOptions(undefined, {
      onData: (volumes) => queries.setQueryData(trpc.volume.list.queryKey(), volumes),
    }),
  )
  const onError = (failure: unknown) =>
    toast.error(m.common.failed, errorMessage(failure, m.entry.signIn.unreachable))
  return {
    volumes: data,
    error,
    create: useMutation(trpc.volume.create.mutationOptions({ onError })),
    make: useMutation(trpc.volume.make.mutationOptions()),
    attach: useMutation(trpc.volume.attach.mutationOptions({ onError })),
    detach: useMutation(trpc.volume.detach.mutationOptions({ onError })),
    resize: useMutation(trpc.volume.resize.mutationOptions({ onError })),
    remove: useMutation(trpc.volume.delete.mutationOptions({ onError })),
  }
}

export type Volumes = ReturnType<typeof useVolumes>
