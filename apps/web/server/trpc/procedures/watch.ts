/** tRPC gives a signal to every subscription that came over a socket; one made in a test may have none. */
export function untilDone<T>(
  signal: AbortSignal | undefined,
  watch: (signal: AbortSignal) => AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  return watch(signal ?? new AbortController().signal)
}
