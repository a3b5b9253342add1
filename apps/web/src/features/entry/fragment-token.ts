'use client'
import { useSyncExternalStore } from 'react'

/** The token travels in the fragment, which no server log ever sees. Undefined until the page is in a browser. */
export function useFragmentToken(): string | null | undefined {
  const hash = useSyncExternalStore(
    (changed) => {
      window.addEventListener('hashchange', changed)
      return () => window.removeEventListener('hashchange', changed)
    },
    () => window.location.hash,
    () => undefined,
  )
  if (hash === undefined) return undefined
  return new URLSearchParams(hash.slice(1)).get('token')
}
