'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { errorMessage } from '../../data/errors.ts'
import type { VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/index.ts'
import { toast } from '../../ui/toast.tsx'

/** Changes of settings. The answer, the VM as it is now, goes into the cache at once; a refusal says why. */
export function useVmUpdate() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const keep = (vm: VmView) =>
    queries.setQueryData(trpc.vm.list.queryKey(), (list) =>
      list?.map((each) => (each.id === vm.id ? vm : each)),
    )
  const refuse = (error: unknown) =>
    toast.error(m.common.failed, errorMessage(error, m.entry.signIn.unreachable))
  const update = useMutation(trpc.vm.update.mutationOptions({ onSuccess: keep, onError: refuse }))
  const protect = useMutation(
    trpc.vm.protect.mutationOptions({ onSuccess: ({ vm }) => keep(vm), onError: refuse }),
  )
  return { update, protect }
}
