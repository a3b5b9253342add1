'use client'
import { type ReactNode, useState } from 'react'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { CodeInput, Field } from './field.tsx'

/**
 * Asks before what cannot be taken back. By risk: nothing for what can be undone; this for what loses something; with
 * `typeName` for what loses data: the name has to be typed first.
 */
export function Confirm({
  title,
  text,
  action,
  cancel,
  closeLabel,
  danger = false,
  busy = false,
  whyNot = null,
  error,
  typeName,
  onConfirm,
  onClose,
  children,
}: {
  title: string
  text?: ReactNode
  /** What the button does, as a verb: "Delete disk", never "OK". */
  action: string
  cancel: string
  closeLabel: string
  danger?: boolean
  busy?: boolean
  /** Why it cannot be done now. */
  whyNot?: string | null
  error?: string | null | undefined
  typeName?: { name: string; label: string; mismatch: string }
  onConfirm: () => void
  onClose: () => void
  children?: ReactNode
}) {
  const [typed, setTyped] = useState('')
  const why = whyNot ?? (typeName && typed.trim() !== typeName.name ? typeName.mismatch : null)
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      description={text}
      closeLabel={closeLabel}
      footer={
        <>
          <Button onClick={onClose}>{cancel}</Button>
          <Button
            variant={danger ? 'danger' : 'primary'}
            busy={busy}
            whyDisabled={why}
            type="submit"
            form="confirm"
          >
            {action}
          </Button>
        </>
      }
    >
      <form
        id="confirm"
        className="flex flex-col gap-4 empty:hidden"
        onSubmit={(event) => {
          event.preventDefault()
          if (!why && !busy) onConfirm()
        }}
      >
        {children}
        {typeName ? (
          <Field label={typeName.label}>
            <CodeInput value={typed} onChange={(event) => setTyped(event.target.value)} />
          </Field>
        ) : null}
        {error ? (
          <p role="alert" className="text-13 text-bad">
            {error}
          </p>
        ) : null}
      </form>
    </Dialog>
  )
}
