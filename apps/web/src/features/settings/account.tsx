'use client'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { changeName, changePassword, listSessions, signOutOthers } from '../../data/auth.ts'
import { useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { ago } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { minPasswordLength } from '../../lib/password.ts'
import { setTheme, useTheme } from '../../lib/theme.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { cx } from '../../ui/cx.ts'
import { Field, Input, PasswordInput } from '../../ui/field.tsx'
import { Card, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { PasswordStrength } from '../entry/password-strength.tsx'
import { themeOptions } from '../shell/user-menu.tsx'
import { deviceName } from './device-name.ts'

const t = m.settings.account

export function Account() {
  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={t.title} />
      <Profile />
      <Appearance />
      <Password />
      <Sessions />
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
    </Card>
  )
}

function Password() {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [problem, setProblem] = useState<{ field: 'current' | 'next'; text: string } | null>(null)
  const [busy, setBusy] = useState(false)

  async function save(event: FormEvent) {
    event.preventDefault()
    if (busy) return
    if (next.length < minPasswordLength) {
      setProblem({ field: 'next', text: m.entry.setup.passwordNeeded(minPasswordLength) })
      return
    }
    setBusy(true)
    const result = await changePassword(current, next)
    setBusy(false)
    if (result === 'ok') {
      setCurrent('')
      setNext('')
      setProblem(null)
      toast.success(t.changed, t.changedText)
    } else if (result === 'wrong') setProblem({ field: 'current', text: t.wrongCurrent })
    else
      toast.error(
        m.common.failed,
        result === 'too_many' ? m.entry.signIn.tooMany : m.entry.signIn.unreachable,
      )
  }

  return (
    <Card title={t.passwordTitle}>
      <form onSubmit={save} className="grid max-w-lg gap-4">
        <Field label={t.current} error={problem?.field === 'current' ? problem.text : null}>
          <PasswordInput
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
            autoComplete="current-password"
            showLabel={m.common.showPassword}
            hideLabel={m.common.hidePassword}
          />
        </Field>
        <Field
          label={t.next}
          hint={<PasswordStrength password={next} />}
          error={problem?.field === 'next' ? problem.text : null}
        >
          <PasswordInput
            value={next}
            onChange={(event) => {
              setNext(event.target.value)
              setProblem(null)
            }}
            autoComplete="new-password"
            showLabel={m.common.showPassword}
            hideLabel={m.common.hidePassword}
          />
        </Field>
        <div>
          <Button type="submit" busy={busy} whyDisabled={current && next ? null : t.fill}>
            {t.change}
          </Button>
        </div>
      </form>
    </Card>
  )
}

function Sessions() {
  const now = useNow()
  const { data, refetch } = useQuery({ queryKey: ['auth', 'sessions'], queryFn: listSessions, retry: 1 })
  const [busy, setBusy] = useState(false)
  if (!data) return null
  const others = data.filter((session) => !session.current).length

  async function leaveOthers() {
    setBusy(true)
    const result = await signOutOthers()
    await refetch()
    setBusy(false)
    if (result === 'ok') toast.success(t.signedOutOthers)
    else toast.error(m.common.failed, m.entry.signIn.unreachable)
  }

  return (
    <Card
      flush
      title={t.sessions}
      aside={
        <Button
          size="sm"
          busy={busy}
          whyDisabled={others === 0 ? t.onlyThis : null}
          onClick={() => void leaveOthers()}
        >
          {t.signOutOthers}
        </Button>
      }
    >
      <ul className="divide-y divide-line">
        {[...data]
          .sort((a, b) => Number(b.current) - Number(a.current))
          .map((session) => (
            <li key={session.id} className="flex flex-wrap items-baseline justify-between gap-x-4 px-5 py-3">
              <span>
                {deviceName(session.userAgent) ?? t.unknownDevice}
                {session.current ? (
                  <span className="ml-2 font-medium text-13 text-ok">{t.thisDevice}</span>
                ) : null}
              </span>
              <span className="tnum text-13 text-ink-3">
                {now
                  ? [session.address, t.since(ago(session.createdAt, now, m.common.justNow))]
                      .filter(Boolean)
                      .join(' · ')
                  : ''}
              </span>
            </li>
          ))}
      </ul>
    </Card>
  )
}
