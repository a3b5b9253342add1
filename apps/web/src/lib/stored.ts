'use client'
import { useSyncExternalStore } from 'react'

/**
 * A small choice kept on this device. `parse` reads what may be from another version, or from nobody; the server's
 * render and a browser without storage have the fallback.
 */
export function stored<T>(key: string, parse: (value: unknown) => T | undefined, fallback: T) {
  const listeners = new Set<() => void>()
  let current: T | undefined
  const read = (): T => {
    if (current === undefined) {
      try {
        current = parse(JSON.parse(localStorage.getItem(key) ?? 'null'))
      } catch {
        // Unreadable or forbidden: as if nothing had been kept.
      }
      current ??= fallback
    }
    return current
  }
  const set = (value: T) => {
    current = value
    try {
      localStorage.setItem(key, JSON.stringify(value))
    } catch {
      // The choice then lasts as long as the page.
    }
    for (const listener of listeners) listener()
  }
  const subscribe = (listener: () => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  return { use: (): T => useSyncExternalStore(subscribe, read, () => fallback), set }
}
