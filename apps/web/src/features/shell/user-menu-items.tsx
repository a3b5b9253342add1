'use client'
import { KeyRound, LogOut, Terminal, UserRound } from 'lucide-react'
import Link from 'next/link'
import { signOut } from '../../data/auth.ts'
import { paths } from '../../lib/paths.ts'
import { setTheme, useTheme } from '../../lib/theme.ts'
import { m } from '../../messages/index.ts'
import { chooseLanguage, currentLanguage } from '../../messages/language.ts'
import { MenuChoice, MenuItem, MenuLabel, MenuLinkItem, MenuSeparator } from '../../ui/menu.tsx'
import { toast } from '../../ui/toast.tsx'
import { languageOptions, themeOptions } from './appearance.tsx'

export async function leave() {
  const result = await signOut()
  // A new document: nothing of this person stays in memory, and nobody is led back to where they left.
  if (result === 'ok') window.location.replace(paths.signIn())
  else toast.error(m.common.failed, m.entry.signIn.unreachable)
}

export function UserMenuItems({ email }: { email: string }) {
  const theme = useTheme()
  return (
    <>
      <MenuLabel>
        {m.common.user.signedInAs} {email}
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
    </>
  )
}
