'use client'
import { lazy, Suspense, useSyncExternalStore } from 'react'

// Arrives with the first thing there is to say.
const ToastHost = lazy(() => import('./toast-list.tsx'))

export interface ToastText {
  title: string
  description?: string | undefined
  type: 'success' | 'error'
  /** Takes back what is told of. */
  undo?: { label: string; act: () => void }
}

/** Said before there was anything to show it. */
let waiting: ToastText[] = []
let tell: ((text: ToastText) => void) | undefined
let used = false
const listeners = new Set<() => void>()

function say(text: ToastText): void {
  if (tell) {
    tell(text)
    return
  }
  waiting.push(text)
  used = true
  for (const listener of listeners) listener()
}

/** Says how something ended. Errors stay until they are closed; the rest leaves by itself. */
export const toast = {
  success: (title: string, description?: string) => say({ title, description, type: 'success' }),
  error: (title: string, description?: string) => say({ title, description, type: 'error' }),
  /** For what was done at once because it can be taken back; stays longer, for who has to find the button. */
  undoable: (title: string, undo: { label: string; act: () => void }, description?: string) =>
    say({ title, description, type: 'success', undo }),
}

function ready(show: (text: ToastText) => void): void {
  tell = show
  for (const text of waiting) show(text)
  waiting = []
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Where they appear; once, at the end of the page. */
export function Toasts({ closeLabel }: { closeLabel: string }) {
  const needed = useSyncExternalStore(
    subscribe,
    () => used,
    () => false,
  )
  return needed ? (
    <Suspense>
      <ToastHost closeLabel={closeLabel} ready={ready} />
    </Suspense>
  ) : null
}
