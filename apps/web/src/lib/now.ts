'use client'
import { useSyncExternalStore } from 'react'

/** One clock for all relative times of a page: the minute for most, the second where something counts down. */
function clock(everyMs: number) {
  let now = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined
  const listeners = new Set<() => void>()
  return {
    subscribe(listener: () => void) {
      listeners.add(listener)
      now = Date.now()
      timer ??= setInterval(() => {
        now = Date.now()
        for (const each of listeners) each()
      }, everyMs)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
    get: () => now,
  }
}

const slow = clock(15_000)
const fast = clock(1000)

export function useNow(fine = false): number {
  const source = fine ? fast : slow
  return useSyncExternalStore(source.subscribe, source.get, () => 0)
}
