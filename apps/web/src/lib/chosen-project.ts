'use client'
import { useSyncExternalStore } from 'react'

const key = 'hearth.project'
const listeners = new Set<() => void>()

/** A convenience of this browser, not a right: what is shown and may be done the portal decides. */
function read(): number | null {
  const id = Number(window.localStorage.getItem(key))
  return Number.isInteger(id) && id > 0 ? id : null
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}

/** The project one works in; null: all of them. */
export function useChosenProject(): number | null {
  return useSyncExternalStore(subscribe, read, () => null)
}

export function chooseProject(id: number | null): void {
  if (id === null) window.localStorage.removeItem(key)
  else window.localStorage.setItem(key, String(id))
  for (const listener of listeners) listener()
}
