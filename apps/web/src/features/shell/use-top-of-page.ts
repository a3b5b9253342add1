'use client'
import { useEffect, useLayoutEffect, useRef } from 'react'

/** What a page belongs to: a VM's tabs share their head, and changing between them scrolls nothing. */
const frameOf = (pathname: string): string => pathname.split('/').slice(0, 3).join('/')

/**
 * A page that is newly come to is seen from its top. Next leaves the scroll position as it was when it happens to
 * show the beginning of the new page's own part, with the head that a layout puts above it out of sight. Going
 * back and forth keeps its places.
 */
export function useTopOfPage(pathname: string): void {
  const frame = frameOf(pathname)
  const shown = useRef(frame)
  const byHistory = useRef(false)
  useEffect(() => {
    const note = () => {
      byHistory.current = frameOf(window.location.pathname) !== shown.current
    }
    window.addEventListener('popstate', note)
    return () => window.removeEventListener('popstate', note)
  }, [])
  useLayoutEffect(() => {
    if (shown.current !== frame && !byHistory.current) window.scrollTo({ top: 0, behavior: 'instant' })
    shown.current = frame
    byHistory.current = false
  }, [frame])
}
