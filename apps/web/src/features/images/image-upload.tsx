'use client'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { useTRPC } from '../../data/trpc.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { Notice } from '../../ui/layout.tsx'
import { factsInput, ImageFactsFields, missingFacts, useImageFacts } from './image-facts-form.tsx'
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

  function submit(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    if (!file || Object.keys(missing).length > 0 || begin.isPending) return
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
    <Dialog
      open
      wide
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.upload.title}
      description={t.upload.text}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" form="image-upload" variant="primary" busy={begin.isPending}>
            {t.upload.submit}
          </Button>
        </>
      }
    >
      <form id="image-upload" onSubmit={submit} noValidate className="flex flex-col gap-4">
        {begin.error && Object.keys(refused).length === 0 ? (
          <Notice tone="bad" title={errorMessage(begin.error, m.entry.signIn.unreachable)} />
        ) : null}
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
        <Field label={t.checksum} hint={t.checksumHint} error={errors.checksum}>
          <Input
            value={checksum}
            onChange={(event) => setChecksum(event.target.value)}
            className="font-mono"
            autoComplete="off"
            spellCheck={false}
          />
        </Field>
        <ImageFactsFields draft={draft} set={set} errors={errors} />
      </form>
    </Dialog>
  )
}
