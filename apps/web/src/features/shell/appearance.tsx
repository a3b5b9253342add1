import { Monitor, Moon, Sun } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Theme } from '../../lib/theme.ts'
import { m } from '../../messages/index.ts'
import { type Language, languages } from '../../messages/language.ts'

export const themeOptions = (): readonly { value: Theme; label: string; icon: ReactNode }[] => [
  { value: 'system', label: m.common.theme.system, icon: <Monitor /> },
  { value: 'light', label: m.common.theme.light, icon: <Sun /> },
  { value: 'dark', label: m.common.theme.dark, icon: <Moon /> },
]

/** Each in its own language, for who cannot read the present one. */
export const languageOptions = (Object.keys(languages) as Language[]).map((value) => ({
  value,
  label: languages[value],
}))
