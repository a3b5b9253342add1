'use client'
import type { PowerOp } from '@hearth/shared/agent-protocol'
import { useMutation } from '@tanstack/react-query'
import type { VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/index.ts'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { useVmCache } from './use-vm-cache.ts'

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
  const { keep } = useVmCache()
  const power = useMutation(
    trpc.vm.power.mutationOptions({
      // No word about it: the pill, the progress and the buttons say it where one looks.
      onSuccess: (change) => keep(change.vm),
      onError: tellRefusal,
    }),
  )
  const remove = useMutation(
    trpc.vm.delete.mutationOptions({
      onSuccess: (change) => {
        keep(change.vm)
        toast.success(m.vms.deletion(change.vm.name))
      },
      onError: tellRefusal,
    }),
  )
  return {
    power: (vm, op) => power.mutate({ id: vm.id, op, idempotencyKey: intentKey() }),
    remove: (vm, confirmName, onDone) =>
      remove.mutate({ id: vm.id, confirmName, idempotencyKey: intentKey() }, { onSuccess: onDone }),
    pending: power.isPending ? power.variables.op : remove.isPending ? 'delete' : null,
  }
}
