'use client'
import { type ReactNode, useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { m } from '../../messages/all.ts'
import { FormDialog } from '../shell/form-dialog.tsx'
import {
  type ImageFactsDraft,
  ImageFactsFields,
  missingFacts,
  type useImageFacts,
} from './image-facts-form.tsx'

type Errors = Readonly<Record<string, string>>

/**
 * A dialog that adds an image of one's own. What is missing is said beside its field after the first try; what the
 * server refuses, beside the field it names, or else above all of them.
 */
export function ImageFormDialog({
  id,
  texts,
  facts,
  missing,
  request,
  withLogin = true,
  onSubmit,
  onClose,
  file,
  children,
}: {
  id: string
  texts: { readonly title: string; readonly text: string; readonly submit: string }
  facts: ReturnType<typeof useImageFacts>
  /** What of the form's own fields is missing. */
  missing?: Errors
  request: { readonly error: unknown; readonly isPending: boolean }
  /** An image made from a VM has the VM's login. */
  withLogin?: boolean
  onSubmit: (draft: ImageFactsDraft) => void
  onClose: () => void
  /** The fields about the file, above the image's own. */
  file?: (errors: Errors) => ReactNode
  children?: ReactNode
}) {
  const [tried, setTried] = useState(false)
  const { draft, set } = facts
  const lacking = { ...missingFacts(draft, withLogin), ...missing }
  const refused = request.error ? fieldErrors(request.error) : {}
  const errors: Errors = { ...refused, ...(tried ? lacking : {}) }
  return (
    <FormDialog
      id={id}
      wide={withLogin}
      title={texts.title}
      description={texts.text}
      submit={texts.submit}
      busy={request.isPending}
      problem={
        request.error && Object.keys(refused).length === 0
          ? errorMessage(request.error, m.entry.signIn.unreachable)
          : null
      }
      onSubmit={() => {
        setTried(true)
        if (Object.keys(lacking).length === 0) onSubmit(draft)
      }}
      onClose={onClose}
    >
      {file?.(errors)}
      <ImageFactsFields draft={draft} set={set} errors={errors} withLogin={withLogin} />
      {children}
    </FormDialog>
  )
}
