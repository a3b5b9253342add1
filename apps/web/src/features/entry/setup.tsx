'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { signIn } from '../../data/auth.ts'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { minPasswordLength } from '../../lib/password.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { CopyLine } from '../../ui/copy.tsx'
import { Field, Input, PasswordInput } from '../../ui/field.tsx'
import { Notice, Skeleton } from '../../ui/layout.tsx'
import { EntryCard } from './entry-card.tsx'
import { useFragmentToken } from './fragment-token.ts'
import { PasswordStrength } from './password-strength.tsx'

const t = m.entry.setup

export function Setup() {
  const token = useFragmentToken()
  const trpc = useTRPC()
  const { data, error } = useQuery({
    ...trpc.setup.check.queryOptions({ token: token ?? '' }, { staleTime: Number.POSITIVE_INFINITY }),
    enabled: Boolean(token),
  })
  const { session } = useSession()

  if (token === null)
    return session && !session.setupNeeded ? <BadLink kind="used" /> : <BadLink kind="missing" />
  if (error) return <BadLink kind="unknown" detail={errorMessage(error, m.entry.signIn.unreachable)} />
  if (!token || !data)
    return (
      <EntryCard title={t.title} wide>
        <div role="status" aria-label={t.checking} className="flex flex-col gap-5">
          {[0, 1, 2, 3].map((line) => (
            <Skeleton key={line} className="h-14 w-full" />
          ))}
        </div>
      </EntryCard>
    )
  if (data.status !== 'valid')
    return (
      <BadLink kind={data.status === 'done' ? 'used' : data.status === 'expired' ? 'expired' : 'unknown'} />
    )
  return <SetupForm token={token} tls={session?.tls ?? false} />
}

function BadLink({ kind, detail }: { kind: keyof typeof t.invalid; detail?: string }) {
  const texts = t.invalid[kind]
  return (
    <EntryCard title={texts.title} intro={texts.text} wide>
      {detail ? <p className="mb-4 text-13 text-ink-2">{detail}</p> : null}
      {kind === 'used' ? (
        <Link href={paths.signIn()} className={buttonClass('primary')}>
          {t.toSignIn}
        </Link>
      ) : (
        <>
          <p className="mb-2 text-13 text-ink-2">{t.newLink}</p>
          <CopyLine
            text="npm start"
            prompt="$"
            label={m.common.copy('npm start')}
            copiedLabel={m.common.copied}
          />
        </>
      )}
    </EntryCard>
  )
}

function SetupForm({ token, tls }: { token: string; tls: boolean }) {
  const router = useRouter()
  const complete = useMutation(useTRPC().setup.complete.mutationOptions())
  const [password, setPassword] = useState('')
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({})
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (busy) return
    const form = new FormData(event.currentTarget)
    const value = (name: string) => String(form.get(name) ?? '').trim()
    const input = {
      token,
      homeName: value('homeName'),
      name: value('name'),
      email: value('email'),
      password,
    }
    const found: Record<string, string> = {}
    if (!input.homeName) found.homeName = t.homeNeeded
    if (!input.name) found.name = t.nameNeeded
    if (!/^\S+@\S+\.\S+$/.test(input.email)) found.email = t.emailNeeded
    if (password.length < minPasswordLength) found.password = t.passwordNeeded(minPasswordLength)
    setErrors(found)
    setProblem(null)
    const first = Object.keys(found)[0]
    if (first) {
      event.currentTarget.querySelector<HTMLInputElement>(`[name="${first}"]`)?.focus()
      return
    }
    setBusy(true)
    try {
      await complete.mutateAsync(input)
    } catch (error) {
      setBusy(false)
      const fields = fieldErrors(error)
      setErrors(fields)
      if (Object.keys(fields).length === 0) setProblem(errorMessage(error, m.entry.signIn.unreachable))
      return
    }
    const result = await signIn(input.email, password)
    router.replace(result === 'ok' ? paths.welcome() : paths.signIn())
  }

  return (
    <EntryCard title={t.title} intro={t.intro} wide>
      <p className="-mt-3 mb-4 text-13 text-ink-3">{m.welcome.step(1, 3)}</p>
      <form onSubmit={submit} noValidate className="flex flex-col gap-4.5" aria-label={t.title}>
        {problem ? <Notice tone="bad" title={problem} /> : null}
        <Field label={t.homeName} hint={t.homeNameHint} error={errors.homeName}>
          <Input
            name="homeName"
            placeholder={t.homeNamePlaceholder}
            autoComplete="off"
            maxLength={100}
            autoFocus
          />
        </Field>
        <Field label={t.name} error={errors.name}>
          <Input name="name" autoComplete="name" maxLength={100} />
        </Field>
        <Field label={t.email} hint={t.emailHint} error={errors.email}>
          <Input name="email" type="email" autoComplete="username" autoCapitalize="none" spellCheck={false} />
        </Field>
        <Field label={t.password} hint={<PasswordStrength password={password} />} error={errors.password}>
          <PasswordInput
            name="password"
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            showLabel={m.common.showPassword}
            hideLabel={m.common.hidePassword}
          />
        </Field>
        <Button type="submit" variant="primary" size="lg" busy={busy} className="mt-2 w-full">
          {t.submit}
        </Button>
        {tls ? (
          <p className="text-13 text-ink-2">
            <span className="block font-medium text-ink">{t.trustTitle}</span>
            {t.trustText}{' '}
            <Link href={paths.trust()} className="font-medium text-ember underline underline-offset-2">
              {t.trustLink}
            </Link>
          </p>
        ) : null}
      </form>
    </EntryCard>
  )
}
