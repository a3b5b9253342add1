import type { ReactNode } from 'react'

/** A window that is one thing, edge to edge: no room is kept for a scroll bar (globals.css). */
export default function WindowLayout({ children }: { children: ReactNode }) {
  return <div data-edge-to-edge="">{children}</div>
}
