'use client'
import { useSyncExternalStore } from 'react'

let refused: unknown = null
const listeners = new Set<() => void>()

function set(error: unknown): void {
  refused = error
  for (const listener of listeners) listener()
}

/** Called for every change that was refused for want of quota, wherever it was made. */
export const tellQuotaRefusal = (error: unknown): void => set(error)

/** The last one that nobody has answered; whoever shows it takes it away again. */
export function useQuotaRefusal(): { error: unknown; forget: () => void } {
  const error = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => refused,
    () => null,
  )
  return { error, forget: () => set(null) }
}
