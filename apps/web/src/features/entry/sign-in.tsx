'use client'
import { useRouter, useSearchParams } from 'next/navigation'
import { type FormEvent, useEffect, useState } from 'react'
import { type AuthResult, signIn } from '../../data/auth.ts'
import { useSession } from '../../data/hooks.ts'
import { safeNext } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { CopyLine } from '../../ui/copy.tsx'
import { Field, Input, PasswordInput } from '../../ui/field.tsx'
import { Notice } from '../../ui/layout.tsx'
import { EntryCard } from './entry-card.tsx'

const t = m.entry.signIn
const problems: Record<Exclude<AuthResult, 'ok'>, () => string> = {
  wrong: () => t.wrong,
  too_many: () => t.tooMany,
  unreachable: () => t.unreachable,
}

export function SignIn() {
  const router = useRouter()
  const next = useSearchParams().get('next')
  const { session } = useSession()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)

  // Who is signed in already, here or in another tab, goes on to where they wanted to be.
  const inside = Boolean(session?.user)
  useEffect(() => {
    if (inside) router.replace(safeNext(next))
  }, [inside, next, router])

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (busy) return
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setProblem(null)
    const result = await signIn(String(form.get('email')).trim(), String(form.get('password')))
    if (result === 'ok') return
    setBusy(false)
    setProblem(problems[result]())
  }

  if (session?.setupNeeded)
    return (
      <EntryCard title={t.setupTitle} intro={t.setupText}>
        <p className="mb-2 text-13 text-ink-2">{m.entry.setup.newLink}</p>
        <CopyLine
          text="npm start"
          prompt="$"
          label={m.common.copy('npm start')}
          copiedLabel={m.common.copied}
        />
      </EntryCard>
    )

  return (
    <EntryCard title={t.title} intro={next ? t.expired : session?.homeName || t.tagline}>
      <form onSubmit={submit} className="flex flex-col gap-4" aria-label={t.title}>
        {problem ? <Notice tone="bad" title={problem} /> : null}
        <Field label={t.email}>
          <Input
            name="email"
            type="email"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            autoFocus
          />
        </Field>
        <Field label={t.password}>
          <PasswordInput
            name="password"
            autoComplete="current-password"
            required
            showLabel={m.common.showPassword}
            hideLabel={m.common.hidePassword}
          />
        </Field>
        <Button type="submit" variant="primary" size="lg" busy={busy} className="mt-1 w-full">
          {t.submit}
        </Button>
      </form>
    </EntryCard>
  )
}
