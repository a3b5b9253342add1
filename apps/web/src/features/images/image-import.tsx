'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { Notice } from '../../ui/layout.tsx'
import { Switch } from '../../ui/switch.tsx'
import { toast } from '../../ui/toast.tsx'
import { factsInput, ImageFactsFields, missingFacts, useImageFacts } from './image-facts-form.tsx'

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

  function submit(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    if (Object.keys(missing).length > 0 || importing.isPending) return
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
    <Dialog
      open
      wide
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.import.title}
      description={t.import.text}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" form="image-import" variant="primary" busy={importing.isPending}>
            {t.import.submit}
          </Button>
        </>
      }
    >
      <form id="image-import" onSubmit={submit} noValidate className="flex flex-col gap-4">
        {importing.error && Object.keys(refused).length === 0 ? (
          <Notice tone="bad" title={errorMessage(importing.error, m.entry.signIn.unreachable)} />
        ) : null}
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
        <OwnNetwork />
      </form>
    </Dialog>
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
