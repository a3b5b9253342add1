'use client'
import { useState } from 'react'
import type { AuthResult } from '../../data/auth.ts'
import { m } from '../../messages/all.ts'
import { Field, PasswordInput } from '../../ui/field.tsx'
import { FormDialog } from '../shell/form-dialog.tsx'

/** Something of one's own account that the password is asked for; closes when it is done. */
export function PasswordDialog({
  title,
  text,
  action,
  danger = false,
  onPassword,
  onClose,
}: {
  title: string
  text: string
  action: string
  danger?: boolean
  onPassword: (password: string) => Promise<AuthResult>
  onClose: () => void
}) {
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit() {
    if (!password) return
    setBusy(true)
    const result = await onPassword(password)
    setBusy(false)
    if (result === 'ok') onClose()
    else if (result === 'wrong') setProblem(m.security.codes.wrongPassword)
    else setProblem(result === 'too_many' ? m.entry.signIn.tooMany : m.entry.signIn.unreachable)
  }

  return (
    <FormDialog
      id="with-password"
      title={title}
      description={text}
      submit={action}
      danger={danger}
      busy={busy}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <Field label={m.security.codes.password} error={problem}>
        <PasswordInput
          value={password}
          onChange={(event) => {
            setPassword(event.target.value)
            setProblem(null)
          }}
          autoComplete="current-password"
          autoFocus
          showLabel={m.common.showPassword}
          hideLabel={m.common.hidePassword}
        />
      </Field>
    </FormDialog>
  )
}
