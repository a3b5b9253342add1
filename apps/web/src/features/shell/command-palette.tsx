'use client'
import { Search } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { m } from '../../messages/index.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { Kbd } from '../../ui/layout.tsx'

// Fetched when it is opened for the first time.
const PalettePopup = lazy(() => import('./palette-popup.tsx'))

/** Asked for by a button, wherever it stands; there is one palette. */
const asked = new EventTarget()

/** Leads to the palette by mouse or finger, and tells of its key. */
export function PaletteButton({ compact = false }: { compact?: boolean }) {
  const open = () => asked.dispatchEvent(new Event('open'))
  if (compact)
    return (
      <button
        type="button"
        aria-label={m.common.palette.open}
        onClick={open}
        className={buttonClass('ghost', 'md', 'size-9 px-0 [&_svg]:size-4.5')}
      >
        <Search aria-hidden="true" />
      </button>
    )
  return (
    <button
      type="button"
      onClick={open}
      className="flex h-8.5 w-full items-center gap-2 rounded-control border border-line-strong bg-surface px-2.5 text-13 text-ink-3 transition-colors hover:border-control hover:text-ink-2"
    >
      <Search className="size-3.5" aria-hidden="true" />
      <span className="flex-1 truncate text-left">{m.common.palette.open}</span>
      <Kbd>Ctrl K</Kbd>
    </button>
  )
}

/** Every page and action by name, under Ctrl+K; mounted once. */
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
    const onAsked = () => setOpen(true)
    window.addEventListener('keydown', onKey)
    asked.addEventListener('open', onAsked)
    return () => {
      window.removeEventListener('keydown', onKey)
      asked.removeEventListener('open', onAsked)
    }
  }, [])
  return used ? (
    <Suspense>
      <PalettePopup open={open} onOpenChange={setOpen} />
    </Suspense>
  ) : null
}
