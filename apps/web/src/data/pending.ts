'use client'
import { type MutationKey, useMutationState } from '@tanstack/react-query'
import { useMemo } from 'react'

/** What was asked for by mutations of this key and not answered yet, in the order it was asked. */
export function usePending<Input>(mutationKey: MutationKey): readonly Input[] {
  return useMutationState({
    filters: { mutationKey, status: 'pending' },
    select: ({ state }) => state.variables as Input,
  })
}

/**
 * What the portal last said, as it will be once it has done what it is asked right now. Nothing is put back after a
 * refusal: the wish is then no longer pending, and what the portal said is shown as it is.
 */
export function useShownAtOnce<Data, Input>(
  data: Data | undefined,
  mutationKey: MutationKey,
  apply: (data: Data, input: Input) => Data,
): Data | undefined {
  const pending = usePending<Input>(mutationKey)
  // biome-ignore lint/correctness/useExhaustiveDependencies: `apply` is a function of the module, written where it is used
  return useMemo(() => (data === undefined ? undefined : pending.reduce(apply, data)), [data, pending])
}

/** Changes the one of a list that a wish is about. */
export function changedOne<Row extends { id: number }>(
  rows: Row[],
  id: number,
  changes: Partial<Row> | null,
): Row[] {
  return changes === null ? rows : rows.map((row) => (row.id === id ? { ...row, ...changes } : row))
}
