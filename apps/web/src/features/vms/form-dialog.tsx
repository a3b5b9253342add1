'use client'
import type { ReactNode } from 'react'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'

/** A form in a dialog, sent by its own button or by Enter. */
export function FormDialog({
  id,
  title,
  description,
  confirm,
  busy,
  why,
  onClose,
  onSubmit,
  children,
}: {
  id: string
  title: string
  description: string
  confirm: string
  busy: boolean
  why: string | null
  onClose: () => void
  onSubmit: () => void
  children: ReactNode
}) {
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={title}
      description={description}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" form={id} variant="primary" busy={busy} whyDisabled={why}>
            {confirm}
          </Button>
        </>
      }
    >
      <form
        id={id}
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (why === null) onSubmit()
        }}
      >
        {children}
      </form>
    </Dialog>
  )
}
