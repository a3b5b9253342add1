'use client'
import { useEffect, useSyncExternalStore } from 'react'

function subscribe(changed: () => void): () => void {
  document.addEventListener('fullscreenchange', changed)
  return () => document.removeEventListener('fullscreenchange', changed)
}

/** The keyboard's lock of browsers that have it: keys of the system and the browser come to the page, too. */
interface LockableKeyboard {
  lock?: () => Promise<void>
  unlock?: () => void
}
const keyboard = (): LockableKeyboard => (navigator as { keyboard?: LockableKeyboard }).keyboard ?? {}

/**
 * Full screen of the whole page, so that menus, tooltips and dialogs, which live at its end, are on it. Whoever
 * asked for it covers the page meanwhile.
 */
export function usePageFullscreen(): [on: boolean, toggle: () => void] {
  const on = useSyncExternalStore(
    subscribe,
    () => document.fullscreenElement === document.documentElement,
    () => false,
  )
  useEffect(() => {
    if (!on) return
    // What lies beneath is not scrolled, and keeps no room for a scroll bar.
    const { style } = document.documentElement
    const { overflow, scrollbarGutter } = style
    style.overflow = 'hidden'
    style.scrollbarGutter = 'auto'
    return () => {
      style.overflow = overflow
      style.scrollbarGutter = scrollbarGutter
    }
  }, [on])
  const toggle = () => {
    if (on) {
      keyboard().unlock?.()
      void document.exitFullscreen()
      return
    }
    void document.documentElement
      .requestFullscreen({ navigationUI: 'hide' })
      .then(() => keyboard().lock?.())
      .catch(() => {
        // Not allowed here; the page stays as it is.
      })
  }
  return [on, toggle]
}
