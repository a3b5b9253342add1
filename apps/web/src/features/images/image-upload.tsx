'use client'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { useTRPC } from '../../data/trpc.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { Field, Input } from '../../ui/field.tsx'
import { FormDialog } from '../shell/form-dialog.tsx'
import {
  ChecksumField,
  factsInput,
  ImageFactsFields,
  missingFacts,
  useImageFacts,
} from './image-facts-form.tsx'
import { useUploader } from './upload-progress.tsx'

const t = m.imageForms

export function ImageUpload({ onClose }: { onClose: () => void }) {
  const begin = useMutation(useTRPC().image.beginUpload.mutationOptions())
  const upload = useUploader()
  const { draft, set } = useImageFacts()
  const [file, setFile] = useState<File | null>(null)
  const [checksum, setChecksum] = useState('')
  const [tried, setTried] = useState(false)
  const missing = { ...missingFacts(draft), ...(file ? {} : { file: t.upload.fileMissing }) }
  const refused = begin.error ? fieldErrors(begin.error) : {}
  const errors: Readonly<Record<string, string>> = { ...refused, ...(tried ? missing : {}) }

  function submit() {
    setTried(true)
    if (!file || Object.keys(missing).length > 0) return
    begin.mutate(
      {
        ...factsInput(draft),
        ...{ fileName: file.name.slice(0, 255), bytes: file.size, checksum: checksum.trim() || null },
      },
      {
        onSuccess: (image) => {
          upload(image.id, file)
          onClose()
        },
      },
    )
  }

  return (
    <FormDialog
      id="image-upload"
      wide
      title={t.upload.title}
      description={t.upload.text}
      submit={t.upload.submit}
      busy={begin.isPending}
      problem={
        begin.error && Object.keys(refused).length === 0
          ? errorMessage(begin.error, m.entry.signIn.unreachable)
          : null
      }
      onSubmit={submit}
      onClose={onClose}
    >
      <Field
        label={t.upload.file}
        hint={file ? bytes(file.size) : t.upload.fileHint}
        error={errors.file ?? errors.bytes ?? errors.fileName}
      >
        <Input
          type="file"
          className="py-1.5"
          onChange={(event) => {
            const chosen = event.target.files?.[0] ?? null
            setFile(chosen)
            if (chosen && !draft.name)
              set({ name: chosen.name.replace(/\.[a-z0-9]{1,6}$/i, '').slice(0, 63) })
          }}
        />
      </Field>
      <ChecksumField value={checksum} onChange={setChecksum} error={errors.checksum} />
      <ImageFactsFields draft={draft} set={set} errors={errors} />
    </FormDialog>
  )
}
