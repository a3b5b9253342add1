'use client'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { changeName } from '../../data/auth.ts'
import { useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { setTheme, useTheme } from '../../lib/theme.ts'
import { m } from '../../messages/all.ts'
import { chooseLanguage, currentLanguage } from '../../messages/language.ts'
import { Button } from '../../ui/button.tsx'
import { cx } from '../../ui/cx.ts'
import { Field, Input, Select } from '../../ui/field.tsx'
import { Card, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { languageOptions, themeOptions } from '../shell/appearance.tsx'

const t = m.settings.account

export function Account() {
  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={t.title} />
      <Profile />
      <Appearance />
    </div>
  )
}

function Profile() {
  const { session } = useSession()
  const trpc = useTRPC()
  const queries = useQueryClient()
  const [name, setName] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const user = session?.user
  if (!user) return <Skeleton className="h-52 rounded-card!" />
  const value = name ?? user.name
  const unchanged = !value.trim() || value.trim() === user.name

  async function save(event: FormEvent) {
    event.preventDefault()
    if (unchanged || busy) return
    setBusy(true)
    const result = await changeName(value.trim())
    setBusy(false)
    if (result !== 'ok') return toast.error(m.common.failed, m.entry.signIn.unreachable)
    await queries.invalidateQueries({ queryKey: trpc.session.get.queryKey() })
    setName(null)
    toast.success(t.saved)
  }

  return (
    <Card title={t.profile}>
      <form onSubmit={save} className="grid max-w-lg gap-4">
        <Field label={t.name}>
          <Input
            value={value}
            onChange={(event) => setName(event.target.value)}
            autoComplete="name"
            maxLength={100}
          />
        </Field>
        <dl className="grid grid-cols-[7rem_1fr] gap-y-1.5 text-13">
          <dt className="text-ink-3">{t.email}</dt>
          <dd className="truncate">{user.email}</dd>
          <dt className="text-ink-3">{t.role}</dt>
          <dd>{t.roles[user.role]}</dd>
        </dl>
        <div>
          <Button type="submit" busy={busy} whyDisabled={unchanged ? t.nothingToSave : null}>
            {t.save}
          </Button>
        </div>
      </form>
    </Card>
  )
}

function Appearance() {
  const theme = useTheme()
  return (
    <Card title={t.appearance}>
      <fieldset>
        <legend className="sr-only">{m.common.theme.label}</legend>
        <div className="inline-flex rounded-[10px] border border-line bg-sunken p-1">
          {themeOptions().map((option) => (
            <label
              key={option.value}
              className={cx(
                'flex items-center gap-2 rounded-control px-3.5 py-1.5 text-13 transition-colors has-focus-visible:outline-2 has-focus-visible:outline-ember [&_svg]:size-4',
                theme === option.value ? 'bg-surface font-medium shadow-card' : 'text-ink-2 hover:text-ink',
              )}
            >
              <input
                type="radio"
                name="theme"
                className="sr-only"
                checked={theme === option.value}
                onChange={() => setTheme(option.value)}
              />
              {option.icon}
              {option.label}
            </label>
          ))}
        </div>
      </fieldset>
      <p className="mt-2.5 text-13 text-ink-3">{t.appearanceHint}</p>
      <Field label={m.common.language.label} className="mt-5 max-w-52">
        <Select
          value={currentLanguage()}
          onChange={(event) => {
            const chosen = languageOptions.find(({ value }) => value === event.target.value)
            if (chosen) chooseLanguage(chosen.value)
          }}
        >
          {languageOptions.map(({ value, label }) => (
            <option key={value} value={value} lang={value}>
              {label}
            </option>
          ))}
        </Select>
      </Field>
    </Card>
  )
}
