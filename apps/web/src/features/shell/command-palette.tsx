'use client'
import { Search } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { m } from '../../messages/index.ts'
import { Kbd } from '../../ui/layout.tsx'

// Fetched when it is opened for the first time.
const PalettePopup = lazy(() => import('./palette-popup.tsx'))

export function CommandPalette() {
  const [open, setOpen] = useState(false)
  const [used, setUsed] = useState(false)
  if (open && !used) setUsed(true)
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (
        event.key.toLowerCase() === 'k' &&
        (event.metaKey || event.ctrlKey) &&
        !event.shiftKey &&
        !event.altKey
      ) {
        // In a console Ctrl+K is the guest's: it cuts to the end of the line.
        if ((event.target as HTMLElement | null)?.closest('.xterm')) return
        event.preventDefault()
        setOpen((was) => !was)
      }
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  return (
    <>
      <button
        type="button"
        onClick={() => setOpen(true)}
        className="flex h-8.5 w-full items-center gap-2 rounded-control border border-line-strong bg-surface px-2.5 text-13 text-ink-3 transition-colors hover:border-control hover:text-ink-2"
      >
        <Search className="size-3.5" aria-hidden="true" />
        <span className="flex-1 truncate text-left">{m.common.palette.open}</span>
        <Kbd>Ctrl K</Kbd>
      </button>
      {used ? (
        <Suspense>
          <PalettePopup open={open} onOpenChange={setOpen} />
        </Suspense>
      ) : null}
    </>
  )
}
