'use client'
import { QueryClientProvider } from '@tanstack/react-query'
import { type ReactNode, useState, useSyncExternalStore } from 'react'
import { getLink, getLive, type Live, type PortalLink, subscribeLive } from './live.ts'
import { TRPCProvider } from './trpc.ts'

export function DataProvider({ children }: { children: ReactNode }) {
  const [onServer] = useState<Live | undefined>(() => (typeof window === 'undefined' ? getLive() : undefined))
  const live = useSyncExternalStore(subscribeLive, getLive, () => onServer ?? getLive())
  return (
    <QueryClientProvider client={live.queries}>
      <TRPCProvider trpcClient={live.trpc} queryClient={live.queries} key={live.generation}>
        {children}
      </TRPCProvider>
    </QueryClientProvider>
  )
}

/** Whether the portal can be reached right now. */
export function usePortalLink(): PortalLink {
  return useSyncExternalStore(subscribeLive, getLink, () => 'connecting' as const)
}
