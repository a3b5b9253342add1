'use client'
import { useQueryClient } from '@tanstack/react-query'
import type { VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { runningAction } from './vm-status.ts'

/** The VMs as this page has them, for who changes one. */
export function useVmCache() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const key = trpc.vm.list.queryKey()
  return {
    /** An answer tells how the VM is now, a moment before its subscription does. */
    keep: (vm: VmView) =>
      queries.setQueryData(key, (list) => list?.map((each) => (each.id === vm.id ? vm : each))),
    /** The VM once nothing is being done with it: the host may still be at what is to be taken back. */
    calm: (id: number) =>
      new Promise<VmView | undefined>((resolve) => {
        const look = () => {
          const now = queries.getQueryData(key)?.find((vm) => vm.id === id)
          if (now && runningAction(now)) return
          stop()
          resolve(now)
        }
        const stop = queries.getQueryCache().subscribe(look)
        look()
      }),
  }
}
