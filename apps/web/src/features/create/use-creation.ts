'use client'
import type { QuotaLine } from '@hearth/shared/quota'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { VmCreateInput } from '../../../server/views/index.ts'
import type { VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'

const none: ReadonlySet<string> = new Set()

/**
 * Sends what the page asks for, one VM after the other. The live list may know of a VM before its answer is here, so the
 * page is told what is its own: those names are not taken, and the quota stays what it was when the button was pressed.
 */
export function useCreation() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const create = useMutation(trpc.vm.create.mutationOptions({ meta: { quotaInline: true } }))
  const [asked, setAsked] = useState(none)
  const [held, setHeld] = useState<{ quota: readonly QuotaLine[] | undefined } | null>(null)
  const [accepted, setAccepted] = useState<{ done: number; all: number } | null>(null)

  /** The last VM once all are accepted, with the page held until it is left; null when one was refused (`error`). */
  async function createAll(
    inputs: readonly VmCreateInput[],
    quota: readonly QuotaLine[] | undefined,
  ): Promise<VmView | null> {
    const names = inputs.map(({ name }) => name)
    setAsked(new Set(names))
    setHeld({ quota })
    let last: VmView | null = null
    let done = 0
    try {
      for (const input of inputs) {
        const { vm } = await create.mutateAsync(input)
        last = vm
        done++
        setAccepted({ done, all: inputs.length })
        queries.setQueryData(trpc.vm.list.queryKey(), (list) =>
          list && !list.some(({ id }) => id === vm.id) ? [...list, vm] : list,
        )
      }
      return last
    } catch {
      // Those that were accepted go on; the same intent again asks for none of them twice.
      setAsked(new Set(names.slice(0, done)))
      setHeld(null)
      void queries.invalidateQueries({ queryKey: trpc.project.list.queryKey() })
      return null
    }
  }

  /** Something was changed: what is asked for next is another intent. */
  function reset() {
    if (create.error) create.reset()
    setAsked(none)
    setAccepted(null)
  }

  return {
    createAll,
    reset,
    asked,
    heldQuota: held?.quota,
    busy: held !== null,
    error: create.error,
    accepted,
  }
}
