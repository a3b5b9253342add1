'use client'
import { useSearchParams } from 'next/navigation'

/** Writes parts of the view into the address; an empty one leaves it. The page is not asked for again, nor is Back longer. */
export function changeAddress(parts: Readonly<Record<string, string | undefined>>): void {
  const next = new URLSearchParams(window.location.search)
  for (const [key, value] of Object.entries(parts)) {
    if (value) next.set(key, value)
    else next.delete(key)
  }
  const text = next.toString()
  // Next follows the browser's history here without asking the server for the page again.
  window.history.replaceState(null, '', window.location.pathname + (text ? `?${text}` : ''))
}

/** A list's search, kept in the address as `q`. */
export function useAddressQuery(): [query: string, set: (query: string) => void] {
  const query = useSearchParams().get('q') ?? ''
  return [query, (q) => changeAddress({ q })]
}

/** Which of a page's dialogs is open, kept in the address as `add`: links and the palette open it. */
export function useAddressDialog<Name extends string>(
  names: readonly Name[],
): [open: Name | null, set: (name: Name | null) => void] {
  const add = useSearchParams().get('add')
  return [names.find((name) => name === add) ?? null, (name) => changeAddress({ add: name ?? undefined })]
}
