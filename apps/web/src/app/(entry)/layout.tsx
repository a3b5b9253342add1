import type { ReactNode } from 'react'
import { LinkBanner } from '../../features/shell/app-shell.tsx'
import { Wordmark } from '../../ui/logo.tsx'

export default function EntryLayout({ children }: { children: ReactNode }) {
  return (
    <div className="hearth-glow flex min-h-dvh flex-col bg-fixed">
      <LinkBanner />
      <header className="flex justify-center px-6 pt-10 sm:pt-16">
        <Wordmark />
      </header>
      <main className="flex flex-1 flex-col items-center px-4 pt-7 pb-16">{children}</main>
    </div>
  )
}
