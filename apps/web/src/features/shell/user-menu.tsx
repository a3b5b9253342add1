'use client'
import { ChevronsUpDown, KeyRound, LogOut, Monitor, Moon, Sun, Terminal, UserRound } from 'lucide-react'
import Link from 'next/link'
import { signOut } from '../../data/auth.ts'
import type { SessionView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { setTheme, type Theme, useTheme } from '../../lib/theme.ts'
import { m } from '../../messages/index.ts'
import { chooseLanguage, currentLanguage, type Language, languages } from '../../messages/language.ts'
import { cx } from '../../ui/cx.ts'
import { Skeleton } from '../../ui/layout.tsx'
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuLinkItem, MenuSeparator } from '../../ui/menu.tsx'
import { toast } from '../../ui/toast.tsx'

export const themeOptions = (): readonly { value: Theme; label: string; icon: React.ReactNode }[] => [
  { value: 'system', label: m.common.theme.system, icon: <Monitor /> },
  { value: 'light', label: m.common.theme.light, icon: <Sun /> },
  { value: 'dark', label: m.common.theme.dark, icon: <Moon /> },
]

/** Each in its own language, for who cannot read the present one. */
export const languageOptions = (Object.keys(languages) as Language[]).map((value) => ({
  value,
  label: languages[value],
}))

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
  const theme = useTheme()
  const user = session?.user
  if (!user) return <Skeleton className={compact ? 'size-8 rounded-full' : 'h-10 w-full'} />

  async function leave() {
    const result = await signOut()
    // A new document: nothing of this person stays in memory, and nobody is led back to where they left.
    if (result === 'ok') window.location.replace(paths.signIn())
    else toast.error(m.common.failed, m.entry.signIn.unreachable)
  }

  return (
    <Menu
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
      <MenuLabel>
        {m.common.user.signedInAs} {user.email}
      </MenuLabel>
      <MenuLinkItem icon={<UserRound />} render={<Link href={paths.account()} />}>
        {m.common.nav.account}
      </MenuLinkItem>
      <MenuLinkItem icon={<KeyRound />} render={<Link href={paths.sshKeys()} />}>
        {m.common.nav.sshKeys}
      </MenuLinkItem>
      <MenuLinkItem icon={<Terminal />} render={<Link href={paths.tokens()} />}>
        {m.common.nav.tokens}
      </MenuLinkItem>
      <MenuSeparator />
      <MenuLabel>{m.common.theme.label}</MenuLabel>
      <MenuChoice label={m.common.theme.label} value={theme} options={themeOptions()} onChange={setTheme} />
      <MenuSeparator />
      <MenuLabel>{m.common.language.label}</MenuLabel>
      <MenuChoice
        label={m.common.language.label}
        value={currentLanguage()}
        options={languageOptions}
        onChange={chooseLanguage}
      />
      <MenuSeparator />
      <MenuItem icon={<LogOut />} onSelect={() => void leave()}>
        {m.common.user.signOut}
      </MenuItem>
    </Menu>
  )
}
