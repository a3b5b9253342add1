/**
 * A mutex in one word of a SharedArrayBuffer (0 free, 1 held, 2 held with waiters; Drepper, "Futexes are
 * tricky", mutex 2). For critical sections of a few instructions that cannot throw; allocates nothing.
 */
export function lock(words: Int32Array, index: number): void {
  if (Atomics.compareExchange(words, index, 0, 1) === 0) return
  while (Atomics.exchange(words, index, 2) !== 0) Atomics.wait(words, index, 2)
}

export function unlock(words: Int32Array, index: number): void {
  if (Atomics.exchange(words, index, 0) === 2) Atomics.notify(words, index, 1)
}
