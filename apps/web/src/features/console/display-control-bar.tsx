'use client'
import { Eye } from 'lucide-react'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import type { DisplayConsole } from './use-display-console.ts'

const t = m.display.control

/** Says that somebody else types, and lets one take over. Nothing while one types oneself. */
export function DisplayControlBar({
  console: screen,
  watchOnly,
  onUse,
}: {
  console: DisplayConsole
  watchOnly: boolean
  onUse: () => void
}) {
  const { me, viewers } = screen
  // Watching by choice is the page's own: the bar stays while the connection breaks and comes back, in which the host
  // knows nobody and then, for a moment, gives this page the control.
  if (!watchOnly && (!me || me.control)) return null
  const holder = viewers.find(({ control }) => control)
  const mayType = me?.input !== false
  const text = !mayType ? t.viewer : watchOnly ? t.watching : holder ? t.other(holder.name) : t.nobody
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 border-line border-b bg-ember-soft px-4 py-2 text-13"
    >
      <Eye className="size-4 shrink-0 text-ember" aria-hidden="true" />
      <span className="min-w-0 flex-1 basis-48">{text}</span>
      {mayType ? (
        <Button size="sm" onClick={onUse}>
          {watchOnly ? t.stopWatching : t.take}
        </Button>
      ) : null}
    </div>
  )
}
