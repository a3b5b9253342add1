'use client'
import { useRouter } from 'next/navigation'
import { type FormEvent, type ReactNode, useState } from 'react'
import { signIn } from '../../data/auth.ts'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { minPasswordLength } from '../../lib/password.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { Field, Input, PasswordInput } from '../../ui/field.tsx'
import { Notice } from '../../ui/layout.tsx'
import { PasswordStrength } from './password-strength.tsx'

const t = m.entry.setup

export interface Account {
  name: string
  email: string
  password: string
}

/** A field that comes before those of the account. */
export interface LeadingField {
  name: string
  label: string
  hint: string
  placeholder: string
  needed: string
}

/** Makes somebody's account and signs them in with it: the first one, and those by invitation. */
export function AccountForm({
  label,
  submit: verb,
  leading,
  make,
  next,
  children,
}: {
  label: string
  submit: string
  leading?: LeadingField
  /** Throws what the server refuses. */
  make: (account: Account, leading: string) => Promise<unknown>
  /** Where to go once signed in. */
  next: string
  /** Below the button. */
  children?: ReactNode
}) {
  const router = useRouter()
  const [password, setPassword] = useState('')
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({})
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    if (busy) return
    const form = new FormData(event.currentTarget)
    const value = (name: string) => String(form.get(name) ?? '').trim()
    const account = { name: value('name'), email: value('email'), password }
    const first = leading ? value(leading.name) : ''
    const found: Record<string, string> = {}
    if (leading && !first) found[leading.name] = leading.needed
    if (!account.name) found.name = t.nameNeeded
    if (!/^\S+@\S+\.\S+$/.test(account.email)) found.email = t.emailNeeded
    if (password.length < minPasswordLength) found.password = t.passwordNeeded(minPasswordLength)
    setErrors(found)
    setProblem(null)
    const wrong = Object.keys(found)[0]
    if (wrong) {
      event.currentTarget.querySelector<HTMLInputElement>(`[name="${wrong}"]`)?.focus()
      return
    }
    setBusy(true)
    try {
      await make(account, first)
    } catch (error) {
      setBusy(false)
      const fields = fieldErrors(error)
      setErrors(fields)
      if (Object.keys(fields).length === 0) setProblem(errorMessage(error, m.entry.signIn.unreachable))
      return
    }
    const result = await signIn(account.email, password)
    router.replace(result === 'ok' ? next : paths.signIn())
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4.5" aria-label={label}>
      {problem ? <Notice tone="bad" title={problem} /> : null}
      {leading ? (
        <Field label={leading.label} hint={leading.hint} error={errors[leading.name]}>
          <Input
            name={leading.name}
            placeholder={leading.placeholder}
            autoComplete="off"
            maxLength={100}
            autoFocus
          />
        </Field>
      ) : null}
      <Field label={t.name} error={errors.name}>
        <Input name="name" autoComplete="name" maxLength={100} autoFocus={!leading} />
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
        {verb}
      </Button>
      {children}
    </form>
  )
}
