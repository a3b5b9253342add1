'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Field, Input } from '../../ui/field.tsx'
import { Switch } from '../../ui/switch.tsx'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { ChecksumField, factsInput, useImageFacts } from './image-facts-form.tsx'
import { ImageFormDialog } from './image-form-dialog.tsx'

const t = m.imageForms.import

export function ImageImport({ onClose }: { onClose: () => void }) {
  const importing = useMutation(useTRPC().image.import.mutationOptions())
  const facts = useImageFacts()
  const [url, setUrl] = useState('')
  const [checksum, setChecksum] = useState('')
  return (
    <ImageFormDialog
      id="image-import"
      texts={t}
      facts={facts}
      missing={/^https?:\/\/[^/\s]+\/\S/i.test(url.trim()) ? {} : { url: t.urlMissing }}
      request={importing}
      onSubmit={(draft) =>
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
      onClose={onClose}
      file={(errors) => (
        <>
          <Field label={t.url} hint={t.urlHint} error={errors.url}>
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
        </>
      )}
    >
      <OwnNetwork />
    </ImageFormDialog>
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
      onError: tellRefusal,
    }),
  )
  const isAdmin = session?.user?.role === 'admin'
  const allowed = data?.allowPrivateImports ?? false
  return (
    <div className="flex items-start justify-between gap-4 border-line border-t pt-4">
      <div className="min-w-0">
        <p className="text-sm">{t.ownNetwork}</p>
        <p className="text-13 text-ink-3">{isAdmin ? t.ownNetworkHint : t.ownNetworkWhy}</p>
      </div>
      <Switch
        checked={allowed}
        onChange={(allowPrivateImports) => change.mutate({ allowPrivateImports })}
        label={t.ownNetwork}
        disabled={!isAdmin || !data || change.isPending}
      />
    </div>
  )
}
