'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { inferRouterInputs } from '@trpc/server'
import { errorMessage } from '../../data/errors.ts'
import type { VmView } from '../../data/hooks.ts'
import { type AppRouter, useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/index.ts'
import { toast } from '../../ui/toast.tsx'
import { runningAction } from './vm-status.ts'

type VmChange = Omit<inferRouterInputs<AppRouter>['vm']['update'], 'id' | 'idempotencyKey'>

/**
 * Changes of settings. They are shown at once (data/shown-at-once.ts); the answer, the VM as it is now, goes into the
 * cache; a refusal says why.
 */
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
  const change = (id: number, wish: VmChange) =>
    update.mutateAsync({ id, ...wish, idempotencyKey: intentKey() })
  /** The VM once nothing is being done with it: the host may still be at what is to be taken back. */
  const calm = (id: number) =>
    new Promise<VmView | undefined>((resolve) => {
      const look = () => {
        const now = queries.getQueryData(trpc.vm.list.queryKey())?.find((vm) => vm.id === id)
        if (now && runningAction(now)) return
        stop()
        resolve(now)
      }
      const stop = queries.getQueryCache().subscribe(look)
      look()
    })
  /** Changes it without asking first, and offers to take it back: `back` is told how the VM is by then. */
  function changeUndoably(id: number, wish: VmChange, said: string, back: (now: VmView) => VmChange): void {
    const takeBack = async () => {
      const now = await calm(id)
      // `refuse` says it.
      if (now) await change(id, back(now)).catch(() => {})
    }
    change(id, wish).then(
      () => toast.undoable(said, { label: m.common.undo, act: () => void takeBack() }),
      // `refuse` has said it.
      () => {},
    )
  }
  return { update, protect, changeUndoably }
}
