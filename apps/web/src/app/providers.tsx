'use client'
import type { ReactNode } from 'react'
import { DataProvider } from '../data/provider.tsx'
import { m } from '../messages/index.ts'
import { Toasts } from '../ui/toast.tsx'

export function Providers({ children }: { children: ReactNode }) {
  return (
    <DataProvider>
      {children}
      <Toasts closeLabel={m.common.close} />
    </DataProvider>
  )
}
