'use client'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { errorCode, errorMessage } from '../../data/errors.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Field, PasswordInput } from '../../ui/field.tsx'
import { FormDialog } from '../shell/form-dialog.tsx'

const t = m.security.confirm

/**
 * For what the portal does only for who has lately shown that it is them: `confirming(again)` asks for the password
 * and then does it again; `dialog` goes into the page.
 *
 *     const { confirming, dialog } = useConfirmIdentity()
 *     remove.mutate(input, { onError: (error) => needsConfirmation(error) && confirming(() => remove.mutate(input)) })
 */
export function useConfirmIdentity(): { confirming: (again: () => void) => void; dialog: ReactNode } {
  const [again, setAgain] = useState<(() => void) | null>(null)
  return {
    confirming: (next) => setAgain(() => next),
    dialog: again ? (
      <ConfirmIdentity
        onDone={() => {
          setAgain(null)
          again()
        }}
        onClose={() => setAgain(null)}
      />
    ) : null,
  }
}

export function needsConfirmation(error: unknown): boolean {
  return errorCode(error) === 'confirm_identity'
}

function ConfirmIdentity({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const confirm = useMutation(useTRPC().session.confirm.mutationOptions())
  const [password, setPassword] = useState('')

  function submit() {
    if (!password) return
    confirm.mutate({ password }, { onSuccess: onDone })
  }

  return (
    <FormDialog
      id="confirm-identity"
      title={t.title}
      description={t.text}
      submit={t.submit}
      busy={confirm.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field
        label={t.password}
        error={
          confirm.error
            ? errorCode(confirm.error) === 'invalid_input'
              ? t.wrong
              : errorMessage(confirm.error, m.entry.signIn.unreachable)
            : null
        }
      >
        <PasswordInput
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          autoComplete="current-password"
          autoFocus
          showLabel={m.common.showPassword}
          hideLabel={m.common.hidePassword}
        />
      </Field>
    </FormDialog>
  )
}
