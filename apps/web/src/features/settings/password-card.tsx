'use client'
import { type FormEvent, useState } from 'react'
import { changePassword } from '../../data/auth.ts'
import { minPasswordLength } from '../../lib/password.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Field, PasswordInput } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { PasswordStrength } from '../entry/password-strength.tsx'

const t = m.settings.account

export function PasswordCard() {
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
