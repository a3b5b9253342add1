'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import type { SshKeyView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { parseSshPublicKey } from '../../lib/ssh-key.ts'
import { m } from '../../messages/all.ts'
import { CopyLine } from '../../ui/copy.tsx'
import { Field, Input, Textarea } from '../../ui/field.tsx'
import { toast } from '../../ui/toast.tsx'
import { FormDialog } from '../shell/form-dialog.tsx'

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

  function submit() {
    setTried(true)
    if (!parsed.ok || !shownName.trim()) return
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
    <FormDialog
      id="ssh-key-create"
      wide
      title={t.addTitle}
      description={t.addText}
      submit={t.save}
      busy={create.isPending}
      problem={
        create.error && Object.keys(refused).length === 0
          ? errorMessage(create.error, m.entry.signIn.unreachable)
          : null
      }
      onSubmit={submit}
      onClose={onClose}
    >
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
    </FormDialog>
  )
}
