'use client'
import { useEffect, useRef } from 'react'

/**
 * Where keys are somebody else's: whatever is typed into, an open dialog or menu, and all of a console: who has just pressed a
 * button of its bar types on into the VM, as they think, and must not be taken to another page by that.
 */
export function keysBelongElsewhere(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return (
    target.isContentEditable ||
    target.closest(
      'input, textarea, select, [role="dialog"], [role="menu"], .xterm, canvas, [data-own-keys]',
    ) !== null
  )
}

/**
 * Single keys, and two in a row written `g v`, while the page has them. Each is listed under `?` (features/shell/key-help).
 * A key with Ctrl, Alt or Meta stays the browser's.
 */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const current = useRef(keys)
  current.current = keys
  useEffect(() => {
    let before = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (keysBelongElsewhere(event.target)) return
      const action =
        current.current[before ? `${before} ${event.key}` : event.key] ?? current.current[event.key]
      clearTimeout(timer)
      before = ''
      if (action) {
        event.preventDefault()
        action()
        return
      }
      if (!Object.keys(current.current).some((each) => each.startsWith(`${event.key} `))) return
      before = event.key
      timer = setTimeout(() => {
        before = ''
      }, 1200)
    }
    window.addEventListener('keydown', onKey)
    return () => {
      window.removeEventListener('keydown', onKey)
      clearTimeout(timer)
    }
  }, [])
}
