'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useSubscription } from '@trpc/tanstack-react-query'
import type { VolumeView } from '../../../server/views/index.ts'
import { useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { useVmCache } from './use-vm-cache.ts'

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
  const { calm } = useVmCache()
  const attach = useMutation(trpc.volume.attach.mutationOptions({ onError: tellRefusal }))
  const detach = useMutation(trpc.volume.detach.mutationOptions({ onError: tellRefusal }))
  /** Nothing on it is lost, so it is not asked about first: attached again it is found as before. */
  function detachUndoably({ id, name, vm }: VolumeView): void {
    if (!vm) return
    const takeBack = async () => {
      await calm(vm.id)
      attach.mutate({ id, vm: vm.id, idempotencyKey: intentKey() })
    }
    detach.mutate(
      { id, idempotencyKey: intentKey() },
      {
        onSuccess: () =>
          toast.undoable(m.disks.detached(name, vm.name), {
            label: m.common.undo,
            act: () => void takeBack(),
          }),
      },
    )
  }
  return {
    volumes: data,
    error,
    attach,
    detach,
    detachUndoably,
    create: useMutation(trpc.volume.create.mutationOptions({ onError: tellRefusal })),
    make: useMutation(trpc.volume.make.mutationOptions()),
    resize: useMutation(trpc.volume.resize.mutationOptions({ onError: tellRefusal })),
    remove: useMutation(trpc.volume.delete.mutationOptions({ onError: tellRefusal })),
  }
}

export type Volumes = ReturnType<typeof useVolumes>
