'use client'
import { KeyRound } from 'lucide-react'
import { useRouter, useSearchParams } from 'next/navigation'
import { type FormEvent, useEffect, useState } from 'react'
import { type AuthResult, signIn, signInElsewhere, signInWithPasskey } from '../../data/auth.ts'
import { useSession } from '../../data/hooks.ts'
import { safeNext } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { CopyLine } from '../../ui/copy.tsx'
import { Field, Input, PasswordInput } from '../../ui/field.tsx'
import { Notice } from '../../ui/layout.tsx'
import { usePasskeyWhyNot } from '../settings/passkeys-card.tsx'
import { EntryCard } from './entry-card.tsx'
import { SignInCode } from './sign-in-code.tsx'

const t = m.entry.signIn
const problems: Record<Exclude<AuthResult, 'ok'>, () => string> = {
  wrong: () => t.wrong,
  confirm: () => t.wrong,
  too_many: () => t.tooMany,
  unreachable: () => t.unreachable,
}

export function SignIn() {
  const router = useRouter()
  const query = useSearchParams()
  const next = query.get('next')
  const { session } = useSession()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(() =>
    query.get('problem') === 'elsewhere' ? m.security.signIn.elsewhereFailed : null,
  )
  const [codeNeeded, setCodeNeeded] = useState(false)
  const whyNoPasskey = usePasskeyWhyNot()

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
    if (result === 'code_needed') setCodeNeeded(true)
    else setProblem(problems[result]())
  }

  async function elsewhere() {
    const result = await signInElsewhere(safeNext(next))
    if (result !== 'ok') setProblem(problems[result]())
  }

  async function withPasskey() {
    setProblem(null)
    const result = await signInWithPasskey()
    if (result === 'ok') return
    setProblem(result === 'wrong' ? m.security.signIn.passkeyFailed : problems[result]())
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

  if (codeNeeded && !inside) return <SignInCode onAgain={() => setCodeNeeded(false)} />

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
        {whyNoPasskey === null ? (
          <Button
            size="lg"
            className="w-full"
            icon={<KeyRound aria-hidden="true" />}
            onClick={() => void withPasskey()}
          >
            {m.security.signIn.passkey}
          </Button>
        ) : null}
        {session?.oidcName ? (
          <Button size="lg" className="w-full" onClick={() => void elsewhere()}>
            {m.security.signIn.elsewhere(session.oidcName)}
          </Button>
        ) : null}
      </form>
    </EntryCard>
  )
}
