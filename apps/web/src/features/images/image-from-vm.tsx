'use client'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import type { VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Notice } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { ImageFactsFields, useImageFacts } from './image-facts-form.tsx'

const t = m.imageForms

export function ImageFromVm({ vm, onClose }: { vm: Pick<VmView, 'id' | 'name'>; onClose: () => void }) {
  const make = useMutation(useTRPC().image.fromVm.mutationOptions())
  const { draft, set } = useImageFacts()
  const [tried, setTried] = useState(false)
  const refused = make.error ? fieldErrors(make.error) : {}
  const missing: Record<string, string> = draft.name.trim() ? {} : { name: t.nameMissing }
  const errors = { ...refused, ...(tried ? missing : {}) }

  function submit(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    const name = draft.name.trim()
    if (!name || make.isPending) return
    make.mutate(
      { vmId: vm.id, name, description: draft.description.trim(), visibility: draft.visibility },
      {
        onSuccess: () => {
          toast.success(m.images.started(name))
          onClose()
        },
      },
    )
  }

  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.fromVm.title(vm.name)}
      description={t.fromVm.text}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" form="image-from-vm" variant="primary" busy={make.isPending}>
            {t.fromVm.submit}
          </Button>
        </>
      }
    >
      <form id="image-from-vm" onSubmit={submit} noValidate className="flex flex-col gap-4">
        {make.error && Object.keys(refused).length === 0 ? (
          <Notice tone="bad" title={errorMessage(make.error, m.entry.signIn.unreachable)} />
        ) : null}
        <ImageFactsFields draft={draft} set={set} errors={errors} withLogin={false} />
        <p className="text-13 text-ink-2">{t.fromVm.warning}</p>
      </form>
    </Dialog>
  )
}
