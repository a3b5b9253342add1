'use client'
import { type RefObject, useEffect, useRef } from 'react'
import { ClipboardShare } from '../../console/clipboard-share.ts'
import { stored } from '../../lib/stored.ts'
import { m } from '../../messages/all.ts'
import { toast } from '../../ui/toast.tsx'
import type { DisplayConsole } from './use-display-console.ts'

const t = m.display.clipboard

/** Whether this browser shares its clipboard with the screens of VMs; off until somebody wants it. */
const sharing = stored<boolean>(
  'hearth.screen.clipboard',
  (value) => (typeof value === 'boolean' ? value : undefined),
  false,
)

export type ClipboardAccess =
  /** It can be shared, once the person agrees. */
  | 'possible'
  /** Only with a click for each text: the browser has no lasting permission for it. */
  | 'by_hand'
  /** The page is not a secure context: the browser has no clipboard for it at all. */
  | 'none'

export function clipboardAccess(): ClipboardAccess {
  if (typeof navigator === 'undefined' || !navigator.clipboard) return 'none'
  // Only Chromium's browsers have the permission `clipboard-read`; others ask at every single reading.
  return 'userAgentData' in navigator ? 'possible' : 'by_hand'
}

/**
 * Shares the clipboard while the screen is used: what was copied elsewhere goes to the VM when the person comes to its
 * screen, what the VM copies comes here. `set` is called in a click, so that the browser may ask.
 */
export function useClipboardShare(
  screen: DisplayConsole,
  target: RefObject<HTMLDivElement | null>,
): { on: boolean; set: (on: boolean) => void } {
  const wanted = sharing.use() && clipboardAccess() === 'possible'
  const usable = screen.state.at === 'live' && screen.me?.control === true
  const latest = useRef(screen)
  latest.current = screen
  const share = useRef<ClipboardShare | null>(null)
  const { guestClipboard } = screen

  useEffect(() => {
    if (!wanted || !usable) return
    const made = new ClipboardShare({
      clipboard: navigator.clipboard,
      send: (text) => latest.current.sendClipboard(text),
      problem: (problem) => {
        if (problem === 'refused') sharing.set(false)
        toast.error(problem === 'refused' ? t.refused : t.tooLong)
      },
    })
    share.current = made
    const element = target.current
    const look = () => {
      if (document.hasFocus() && element?.contains(document.activeElement)) void made.look()
    }
    window.addEventListener('focus', look)
    element?.addEventListener('focusin', look)
    look()
    return () => {
      window.removeEventListener('focus', look)
      element?.removeEventListener('focusin', look)
      share.current = null
    }
  }, [wanted, usable, target])

  useEffect(() => {
    if (guestClipboard !== null) void share.current?.took(guestClipboard.text)
  }, [guestClipboard])

  return {
    on: wanted,
    set(on) {
      if (!on) return sharing.set(false)
      navigator.clipboard
        .readText()
        .then(() => sharing.set(true))
        .catch(() => toast.error(t.refused))
    },
  }
}
