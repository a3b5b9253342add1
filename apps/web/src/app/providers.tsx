'use client'
import type { ReactNode } from 'react'
import { DataProvider } from '../data/provider.tsx'
import { m } from '../messages/index.ts'
import { ToastProvider } from '../ui/toast.tsx'
import { TooltipProvider } from '../ui/tooltip.tsx'

export function Providers({ children }: { children: ReactNode }) {
  return (
    <DataProvider>
      <TooltipProvider delay={250}>
        <ToastProvider closeLabel={m.common.close}>{children}</ToastProvider>
      </TooltipProvider>
    </DataProvider>
  )
}
