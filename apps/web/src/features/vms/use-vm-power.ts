'use client'
import type { PowerOp } from '@hearth/shared/agent-protocol'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { errorMessage } from '../../data/errors.ts'
import type { VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/index.ts'
import { toast } from '../../ui/toast.tsx'

/**
 * Power operations and deletion. Nothing is shown before the portal has accepted it; its answer, the VM as it
 * is now with the action that runs, goes into the cache at once, and the subscription follows.
 */
export function useVmPower(): {
  power: (vm: VmView, op: PowerOp) => void
  remove: (vm: VmView, confirmName: string, onDone: () => void) => void
  pending: PowerOp | 'delete' | null
} {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const keep = (vm: VmView) =>
    queries.setQueryData(trpc.vm.list.queryKey(), (list) =>
      list?.map((each) => (each.id === vm.id ? vm : each)),
    )
  const refuse = (error: unknown) =>
    toast.error(m.common.failed, errorMessage(error, m.entry.signIn.unreachable))
  const power = useMutation(
    trpc.vm.power.mutationOptions({
      // No word about it: the pill, the progress and the buttons say it where one looks.
      onSuccess: (change) => keep(change.vm),
      onError: refuse,
    }),
  )
  const remove = useMutation(
    trpc.vm.delete.mutationOptions({
      onSuccess: (change) => {
        keep(change.vm)
        toast.success(m.vms.deletion(change.vm.name))
      },
      onError: refuse,
    }),
  )
  return {
    power: (vm, op) => power.mutate({ id: vm.id, op, idempotencyKey: intentKey() }),
    remove: (vm, confirmName, onDone) =>
      remove.mutate({ id: vm.id, confirmName, idempotencyKey: intentKey() }, { onSuccess: onDone }),
    pending: power.isPending ? power.variables.op : remove.isPending ? 'delete' : null,
  }
}
