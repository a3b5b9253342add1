'use client'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { type ImageView, useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { Switch } from '../../ui/switch.tsx'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'

const t = m.images.page

export function ImageSettings({ image }: { image: ImageView }) {
  const { session } = useSession()
  const update = useMutation(
    useTRPC().image.update.mutationOptions({
      onSuccess: () => toast.success(t.saved),
      onError: tellRefusal,
    }),
  )
  const own = image.source !== 'build' && image.source !== 'download'
  const isAdmin = session?.user?.role === 'admin'
  const why = image.can.change.why
  return (
    <Card title={t.settings}>
      <div className="flex flex-col gap-5">
        <div className="flex items-start justify-between gap-4">
          <div className="min-w-0">
            <p className="text-sm">{t.protect}</p>
            <p className="text-13 text-ink-3">{why ?? t.protectHint}</p>
          </div>
          <Switch
            checked={image.deleteProtected}
            onChange={(deleteProtected) => update.mutate({ id: image.id, deleteProtected })}
            label={t.protect}
            disabled={why !== null}
          />
        </div>
        <div>
          <p className="text-sm">{t.visible}</p>
          <p className="text-13 text-ink-2">
            {image.project ? t.visibleProject(image.project.name) : t.visibleHome}
          </p>
          {own && isAdmin ? (
            <Button
              size="sm"
              className="mt-2"
              busy={update.isPending}
              onClick={() => update.mutate({ id: image.id, visibility: image.project ? 'home' : 'project' })}
            >
              {image.project ? t.giveHome : t.giveProject}
            </Button>
          ) : null}
        </div>
        {own ? <Words image={image} /> : null}
      </div>
    </Card>
  )
}

function Words({ image }: { image: ImageView }) {
  const update = useMutation(
    useTRPC().image.update.mutationOptions({ onSuccess: () => toast.success(t.saved) }),
  )
  const [name, setName] = useState(image.name)
  const [description, setDescription] = useState(image.description)
  const refused = update.error ? fieldErrors(update.error) : {}
  const other =
    update.error && Object.keys(refused).length === 0
      ? errorMessage(update.error, m.entry.signIn.unreachable)
      : null
  function submit(event: FormEvent) {
    event.preventDefault()
    if (image.can.change.ok) update.mutate({ id: image.id, name, description })
  }
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4 border-line border-t pt-5">
      <Field label={m.imageForms.name} error={refused.name ?? other}>
        <Input
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={63}
          autoComplete="off"
        />
      </Field>
      <Field label={m.imageForms.description} error={refused.description}>
        <Input
          value={description}
          onChange={(event) => setDescription(event.target.value)}
          maxLength={500}
          autoComplete="off"
        />
      </Field>
      <Button type="submit" className="self-start" busy={update.isPending} whyDisabled={image.can.change.why}>
        {m.common.save}
      </Button>
    </form>
  )
}
