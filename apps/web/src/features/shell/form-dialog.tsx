'use client'
import type { FormEvent, ReactNode } from 'react'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Notice } from '../../ui/layout.tsx'

/** A dialog that is one form: cancel and its verb below, above the fields what is wrong with none of them. */
export function FormDialog({
  id,
  title,
  description,
  wide = false,
  submit,
  danger = false,
  busy,
  why = null,
  problem,
  onSubmit,
  onClose,
  after,
  children,
}: {
  /** Of the form; its button stands outside of it. */
  id: string
  title: string
  description?: string
  wide?: boolean
  /** What the button does, as a verb. */
  submit: string
  danger?: boolean
  busy: boolean
  /** Why it cannot be sent as it stands. */
  why?: string | null
  problem?: string | null
  onSubmit: () => void
  onClose: () => void
  /** What belongs to the dialog and not to the form, such as a dialog above it. */
  after?: ReactNode
  children: ReactNode
}) {
  function send(event: FormEvent) {
    event.preventDefault()
    // In the page's tree a dialog may stand inside another form, which is not meant.
    event.stopPropagation()
    if (!busy && why === null) onSubmit()
  }
  return (
    <Dialog
      open
      wide={wide}
      onClose={onClose}
      closeLabel={m.common.close}
      title={title}
      description={description}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button
            type="submit"
            form={id}
            variant={danger ? 'danger' : 'primary'}
            busy={busy}
            whyDisabled={why}
          >
            {submit}
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={send} noValidate className="flex flex-col gap-4">
        {problem ? <Notice tone="bad" title={problem} /> : null}
        {children}
      </form>
      {after}
    </Dialog>
  )
}

/** What is shown now and never again: a secret, a link. */
export function ShownOnce({
  title,
  text,
  done,
  onClose,
  children,
}: {
  title: string
  text: string
  done: string
  onClose: () => void
  children: ReactNode
}) {
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      closeLabel={m.common.close}
      title={title}
      description={text}
      footer={
        <Button variant="primary" onClick={onClose}>
          {done}
        </Button>
      }
    >
      {children}
    </Dialog>
  )
}
