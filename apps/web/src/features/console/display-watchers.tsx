'use client'
import { MousePointer2 } from 'lucide-react'
import { m } from '../../messages/all.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { cx } from '../../ui/cx.ts'
import { Menu } from '../../ui/menu.tsx'
import { Tooltip } from '../../ui/tooltip.tsx'
import type { DisplayConsole } from './use-display-console.ts'

const t = m.display.watchers
const shown = 3

/** Faces of who watches; the one with keyboard and pointer glows. */
export function DisplayWatchers({ console: { viewers, me } }: { console: DisplayConsole }) {
  if (viewers.length === 0) return null
  const sorted = viewers.toSorted((a, b) => Number(b.control) - Number(a.control))
  const label = t.button(viewers.length)
  return (
    <Tooltip text={label} side="bottom">
      <span>
        <Menu
          trigger={
            <button
              type="button"
              aria-label={label}
              className={buttonClass('ghost', 'sm', 'h-8 gap-0! px-1.5')}
            >
              {sorted.slice(0, shown).map((viewer) => (
                <Face key={viewer.id} name={viewer.name} control={viewer.control} />
              ))}
              {sorted.length > shown ? (
                <span className="tnum ml-1.5 text-ink-3 text-xs">+{sorted.length - shown}</span>
              ) : null}
            </button>
          }
        >
          <div className="px-2.5 pt-1.5 pb-1 font-medium text-13">{t.title}</div>
          {sorted.map((viewer) => (
            <div key={viewer.id} className="flex items-center gap-2.5 px-2.5 py-1.5">
              <Face name={viewer.name} control={viewer.control} alone />
              <span className="min-w-0 flex-1">
                <span className="block truncate text-13">
                  {viewer.id === me?.id ? t.you(viewer.name) : viewer.name}
                </span>
                <span className="block text-ink-3 text-xs">
                  {viewer.control ? t.control : viewer.input ? t.watches : t.viewOnly}
                </span>
              </span>
              {viewer.control ? <MousePointer2 className="size-3.5 text-ember" aria-hidden="true" /> : null}
            </div>
          ))}
        </Menu>
      </span>
    </Tooltip>
  )
}

function Face({ name, control, alone = false }: { name: string; control: boolean; alone?: boolean }) {
  const initials = name
    .split(/\s+/)
    .map((word) => word[0] ?? '')
    .slice(0, 2)
    .join('')
    .toUpperCase()
  return (
    <span
      aria-hidden="true"
      className={cx(
        'grid size-6 shrink-0 place-items-center rounded-full font-semibold text-[0.625rem] ring-2',
        alone ? '' : 'not-first:-ml-1.5',
        control ? 'bg-ember-solid text-on-ember ring-ember-line' : 'bg-raised text-ink-2 ring-sunken',
      )}
    >
      {initials || '?'}
    </span>
  )
}
