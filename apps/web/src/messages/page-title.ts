import type { Metadata } from 'next'

/** A page's title in the reader's language: `export const generateMetadata = pageTitle(() => m.vms.title)`. */
export function pageTitle(title: () => string): () => Metadata {
  return () => ({ title: title() })
}
