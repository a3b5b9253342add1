'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import type { SshKeyView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { parseSshPublicKey } from '../../lib/ssh-key.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { CopyLine } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Input, Textarea } from '../../ui/field.tsx'
import { Notice } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'

const t = m.settings.keys

/** The one form for a new key, opened from the settings and from the page that creates a VM. */
export function SshKeyCreate({
  onClose,
  onSaved,
}: {
  onClose: () => void
  onSaved: (key: SshKeyView) => void
}) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const create = useMutation(trpc.sshKey.create.mutationOptions())
  const [text, setText] = useState('')
  const [name, setName] = useState<string | null>(null)
  const [tried, setTried] = useState(false)
  const parsed = parseSshPublicKey(text)
  // The comment at the end of a key usually names the device it is from.
  const shownName = name ?? (parsed.ok ? parsed.comment : '')
  const keyProblem = parsed.ok || (!tried && parsed.problem === 'empty') ? null : t.problem[parsed.problem]
  const nameProblem = tried && !shownName.trim() ? t.nameNeeded : null
  const refused = create.error ? fieldErrors(create.error) : {}

  function submit(event: FormEvent) {
    event.preventDefault()
    // The dialog may stand inside another form of the page's tree; this is not that form's business.
    event.stopPropagation()
    setTried(true)
    if (!parsed.ok || !shownName.trim() || create.isPending) return
    create.mutate(
      { name: shownName.trim(), publicKey: parsed.line },
      {
        onSuccess: (key) => {
          queries.setQueryData(trpc.sshKey.list.queryKey(), (list) => [...(list ?? []), key])
          toast.success(t.saved(key.name))
          onSaved(key)
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
      title={t.addTitle}
      description={t.addText}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" form="ssh-key-create" variant="primary" busy={create.isPending}>
            {t.save}
          </Button>
        </>
      }
    >
      <form id="ssh-key-create" onSubmit={submit} noValidate className="flex flex-col gap-4">
        {create.error && Object.keys(refused).length === 0 ? (
          <Notice tone="bad" title={errorMessage(create.error, m.entry.signIn.unreachable)} />
        ) : null}
        <Field label={t.key} error={keyProblem ?? refused.publicKey}>
          <Textarea
            rows={4}
            value={text}
            onChange={(event) => setText(event.target.value)}
            spellCheck={false}
            autoCapitalize="none"
            autoComplete="off"
            placeholder="ssh-ed25519 AAAA…"
            className="resize-none break-all font-mono text-13!"
          />
        </Field>
        <Field label={t.name} error={nameProblem ?? refused.name}>
          <Input
            value={shownName}
            maxLength={100}
            placeholder={t.namePlaceholder}
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
        <div className="grid grid-cols-1 gap-3 sm:grid-cols-2">
          <div>
            <p className="mb-1 text-13 text-ink-3">{t.where}</p>
            <CopyLine
              text={t.whereCommand}
              prompt="$"
              label={m.common.copy(t.whereCommand)}
              copiedLabel={m.common.copied}
            />
          </div>
          <div>
            <p className="mb-1 text-13 text-ink-3">{t.make}</p>
            <CopyLine
              text={t.makeCommand}
              prompt="$"
              label={m.common.copy(t.makeCommand)}
              copiedLabel={m.common.copied}
            />
          </div>
        </div>
      </form>
    </Dialog>
  )
}
