'use client'
import { createContext, use } from 'react'
import type { VmView } from '../../data/hooks.ts'
import type { useVmPower } from './use-vm-power.ts'

/** The VM of the page one is on, for its header and its tabs. */
export interface VmPage {
  vm: VmView
  actions: ReturnType<typeof useVmPower>
}

export const VmPageContext = createContext<VmPage | null>(null)

export function useVmPage(): VmPage {
  const page = use(VmPageContext)
  if (!page) throw new Error('This part of the page belongs inside the frame of a VM.')
  return page
}
