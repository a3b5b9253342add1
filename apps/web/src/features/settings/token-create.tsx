'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { useChosenProject } from '../../lib/chosen-project.ts'
import { m } from '../../messages/all.ts'
import { CopyLine } from '../../ui/copy.tsx'
import { Field, Input, Select } from '../../ui/field.tsx'
import { FormDialog, ShownOnce } from '../shell/form-dialog.tsx'
import { needsConfirmation, useConfirmIdentity } from './confirm-identity.tsx'

const t = m.settings.tokens
const expiries = { d30: 30, d90: 90, d365: 365, never: null } as const

export function TokenCreate({ onClose }: { onClose: () => void }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const create = useMutation(trpc.token.create.mutationOptions())
  const { session } = useSession()
  const projects = session?.projects ?? []
  const working = useChosenProject()
  const [chosen, setChosen] = useState<number | null>(null)
  const projectId = chosen ?? projects.find(({ id }) => id === working)?.id ?? projects[0]?.id
  const { confirming, dialog } = useConfirmIdentity()
  const [tried, setTried] = useState(false)
  const [name, setName] = useState('')
  const [scope, setScope] = useState<'read' | 'write'>('write')
  const [expiry, setExpiry] = useState<keyof typeof expiries>('d90')
  const refused = create.error ? fieldErrors(create.error) : {}

  function submit() {
    setTried(true)
    if (!name.trim()) return
    send()
  }

  function send() {
    create.mutate(
      { projectId, name: name.trim(), scope, expiresInDays: expiries[expiry] },
      {
        onError: (error) => {
          if (needsConfirmation(error)) confirming(send)
        },
        onSuccess: ({ token }) =>
          queries.setQueryData(trpc.token.list.queryKey(), (list) => [...(list ?? []), token]),
      },
    )
  }

  if (create.data)
    return (
      <ShownOnce title={t.shownTitle} text={t.shownText} done={t.done} onClose={onClose}>
        <CopyLine text={create.data.secret} label={m.common.copy(t.token)} copiedLabel={m.common.copied} />
        <p className="mt-4 mb-1.5 text-13 text-ink-3">{t.tryIt}</p>
        <CopyLine
          text={`curl -H "Authorization: Bearer ${create.data.secret}" ${window.location.origin}/api/v1/servers`}
          prompt="$"
          label={m.common.copy('curl')}
          copiedLabel={m.common.copied}
        />
      </ShownOnce>
    )

  return (
    <FormDialog
      id="token-create"
      title={t.createTitle}
      submit={t.submit}
      busy={create.isPending}
      problem={
        create.error && !needsConfirmation(create.error) && Object.keys(refused).length === 0
          ? errorMessage(create.error, m.entry.signIn.unreachable)
          : null
      }
      onSubmit={submit}
      onClose={onClose}
      after={dialog}
    >
      <Field label={t.name} error={tried && !name.trim() ? t.nameNeeded : refused.name}>
        <Input
          value={name}
          onChange={(event) => setName(event.target.value)}
          placeholder={t.namePlaceholder}
          maxLength={100}
          autoComplete="off"
        />
      </Field>
      {projects.length > 1 ? (
        <Field label={t.project} hint={t.projectHint}>
          <Select value={projectId} onChange={(event) => setChosen(Number(event.target.value))}>
            {projects.map((project) => (
              <option key={project.id} value={project.id}>
                {project.name}
              </option>
            ))}
          </Select>
        </Field>
      ) : null}
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        <Field label={t.scope}>
          <Select
            value={scope}
            onChange={(event) => setScope(event.target.value === 'read' ? 'read' : 'write')}
          >
            <option value="write">{t.scopes.write}</option>
            <option value="read">{t.scopes.read}</option>
          </Select>
        </Field>
        <Field label={t.expires}>
          <Select value={expiry} onChange={(event) => setExpiry(event.target.value as keyof typeof expiries)}>
            {Object.keys(expiries).map((key) => (
              <option key={key} value={key}>
                {t.expiry[key as keyof typeof expiries]}
              </option>
            ))}
          </Select>
        </Field>
      </div>
    </FormDialog>
  )
}
