'use client'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTRPC } from '../../data/trpc.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { Field, Input } from '../../ui/field.tsx'
import { ChecksumField, factsInput, useImageFacts } from './image-facts-form.tsx'
import { ImageFormDialog } from './image-form-dialog.tsx'
import { useUploader } from './upload-progress.tsx'

const t = m.imageForms.upload

export function ImageUpload({ onClose }: { onClose: () => void }) {
  const begin = useMutation(useTRPC().image.beginUpload.mutationOptions())
  const upload = useUploader()
  const facts = useImageFacts()
  const [file, setFile] = useState<File | null>(null)
  const [checksum, setChecksum] = useState('')
  return (
    <ImageFormDialog
      id="image-upload"
      texts={t}
      facts={facts}
      missing={file ? {} : { file: t.fileMissing }}
      request={begin}
      onSubmit={(draft) => {
        if (!file) return
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
      }}
      onClose={onClose}
      file={(errors) => (
        <>
          <Field
            label={t.file}
            hint={file ? bytes(file.size) : t.fileHint}
            error={errors.file ?? errors.bytes ?? errors.fileName}
          >
            <Input
              type="file"
              className="py-1.5"
              onChange={(event) => {
                const chosen = event.target.files?.[0] ?? null
                setFile(chosen)
                if (chosen && !facts.draft.name)
                  facts.set({ name: chosen.name.replace(/\.[a-z0-9]{1,6}$/i, '').slice(0, 63) })
              }}
            />
          </Field>
          <ChecksumField value={checksum} onChange={setChecksum} error={errors.checksum} />
        </>
      )}
    />
  )
}
