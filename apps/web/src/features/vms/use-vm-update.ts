'use client'
import { useMutation } from '@tanstack/react-query'
import type { inferRouterInputs } from '@trpc/server'
import type { VmView } from '../../data/hooks.ts'
import { type AppRouter, useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/index.ts'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { useVmCache } from './use-vm-cache.ts'

type VmChange = Omit<inferRouterInputs<AppRouter>['vm']['update'], 'id' | 'idempotencyKey'>

/**
 * Changes of settings. They are shown at once (data/shown-at-once.ts); the answer, the VM as it is now, goes into the
 * cache; a refusal says why.
 */
export function useVmUpdate() {
  const trpc = useTRPC()
  const { keep, calm } = useVmCache()
  const update = useMutation(trpc.vm.update.mutationOptions({ onSuccess: keep, onError: tellRefusal }))
  const protect = useMutation(
    trpc.vm.protect.mutationOptions({ onSuccess: ({ vm }) => keep(vm), onError: tellRefusal }),
  )
  const change = (id: number, wish: VmChange) =>
    update.mutateAsync({ id, ...wish, idempotencyKey: intentKey() })
  /** Changes it without asking first, and offers to take it back: `back` is told how the VM is by then. */
  function changeUndoably(id: number, wish: VmChange, said: string, back: (now: VmView) => VmChange): void {
    const takeBack = async () => {
      const now = await calm(id)
      // tellRefusal says it.
      if (now) await change(id, back(now)).catch(() => {})
    }
    change(id, wish).then(
      () => toast.undoable(said, { label: m.common.undo, act: () => void takeBack() }),
      // tellRefusal has said it.
      () => {},
    )
  }
  return { update, protect, changeUndoably }
}
