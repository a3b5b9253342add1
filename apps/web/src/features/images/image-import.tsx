'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Field, Input } from '../../ui/field.tsx'
import { Switch } from '../../ui/switch.tsx'
import { toast } from '../../ui/toast.tsx'
import { FormDialog } from '../shell/form-dialog.tsx'
import {
  ChecksumField,
  factsInput,
  ImageFactsFields,
  missingFacts,
  useImageFacts,
} from './image-facts-form.tsx'

const t = m.imageForms

export function ImageImport({ onClose }: { onClose: () => void }) {
  const importing = useMutation(useTRPC().image.import.mutationOptions())
  const { draft, set } = useImageFacts()
  const [url, setUrl] = useState('')
  const [checksum, setChecksum] = useState('')
  const [tried, setTried] = useState(false)
  const missing = {
    ...missingFacts(draft),
    ...(/^https?:\/\/[^/\s]+\/\S/i.test(url.trim()) ? {} : { url: t.import.urlMissing }),
  }
  const refused = importing.error ? fieldErrors(importing.error) : {}
  const errors: Readonly<Record<string, string>> = { ...refused, ...(tried ? missing : {}) }

  function submit() {
    setTried(true)
    if (Object.keys(missing).length > 0) return
    importing.mutate(
      { ...factsInput(draft), url: url.trim(), checksum: checksum.trim() || null },
      {
        onSuccess: () => {
          toast.success(m.images.started(draft.name.trim()))
          onClose()
        },
      },
    )
  }

  return (
    <FormDialog
      id="image-import"
      wide
      title={t.import.title}
      description={t.import.text}
      submit={t.import.submit}
      busy={importing.isPending}
      problem={
        importing.error && Object.keys(refused).length === 0
          ? errorMessage(importing.error, m.entry.signIn.unreachable)
          : null
      }
      onSubmit={submit}
      onClose={onClose}
    >
      <Field label={t.import.url} hint={t.import.urlHint} error={errors.url}>
        <Input
          type="url"
          value={url}
          onChange={(event) => setUrl(event.target.value)}
          placeholder="https://"
          maxLength={2048}
          autoComplete="off"
          spellCheck={false}
        />
      </Field>
      <ChecksumField value={checksum} onChange={setChecksum} error={errors.checksum} />
      <ImageFactsFields draft={draft} set={set} errors={errors} />
      <OwnNetwork />
    </FormDialog>
  )
}

/** The home's setting, where its lack is noticed. */
function OwnNetwork() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { session } = useSession()
  const { data } = useQuery(trpc.image.settings.queryOptions())
  const change = useMutation(
    trpc.image.setSettings.mutationOptions({
      onSuccess: (settings) => queries.setQueryData(trpc.image.settings.queryKey(), settings),
      onError: (failure) => toast.error(m.common.failed, errorMessage(failure, m.entry.signIn.unreachable)),
    }),
  )
  const isAdmin = session?.user?.role === 'admin'
  const allowed = data?.allowPrivateImports ?? false
  return (
    <div className="flex items-start justify-between gap-4 border-line border-t pt-4">
      <div className="min-w-0">
        <p className="text-sm">{t.import.ownNetwork}</p>
        <p className="text-13 text-ink-3">{isAdmin ? t.import.ownNetworkHint : t.import.ownNetworkWhy}</p>
      </div>
      <Switch
        checked={allowed}
        onChange={(allowPrivateImports) => change.mutate({ allowPrivateImports })}
        label={t.import.ownNetwork}
        disabled={!isAdmin || !data || change.isPending}
      />
    </div>
  )
}
