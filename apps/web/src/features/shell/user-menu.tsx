'use client'
import { ChevronsUpDown } from 'lucide-react'
import { lazy } from 'react'
import type { SessionView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { cx } from '../../ui/cx.ts'
import { Skeleton } from '../../ui/layout.tsx'
import { Menu } from '../../ui/menu.tsx'

// What is in a menu arrives when it is opened.
const loadItems = () => import('./user-menu-items.tsx')
const UserMenuItems = lazy(() => loadItems().then((part) => ({ default: part.UserMenuItems })))

function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase()
}

export function UserMenu({
  session,
  compact = false,
}: {
  session: SessionView | undefined
  compact?: boolean
}) {
  const user = session?.user
  if (!user) return <Skeleton className={compact ? 'size-8 rounded-full' : 'h-10 w-full'} />

  return (
    <Menu
      prepare={loadItems}
      align={compact ? 'end' : 'start'}
      side={compact ? 'bottom' : 'top'}
      trigger={
        <button
          type="button"
          aria-label={compact ? m.common.user.menu : undefined}
          className={cx(
            'flex items-center gap-2.5 rounded-control text-left transition-colors hover:bg-raised',
            compact ? 'p-1' : 'w-full px-2 py-1.5',
          )}
        >
          <span
            aria-hidden="true"
            className="flex size-7.5 shrink-0 items-center justify-center rounded-full bg-ember-soft font-semibold text-2xs text-ember"
          >
            {initials(user.name)}
          </span>
          {compact ? null : (
            <>
              <span className="sr-only">{m.common.user.menu}: </span>
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium text-13 leading-4.5">{user.name}</span>
                <span className="block truncate text-ink-3 text-xs leading-4">{user.email}</span>
              </span>
              <ChevronsUpDown className="size-3.5 text-ink-3" aria-hidden="true" />
            </>
          )}
        </button>
      }
    >
      <UserMenuItems email={user.email} />
    </Menu>
  )
}
