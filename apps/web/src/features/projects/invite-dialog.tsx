'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import type { ProjectView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { isLoopback } from '../../lib/loopback.ts'
import { m } from '../../messages/all.ts'
import { CopyLine } from '../../ui/copy.tsx'
import { Field, Input, Select } from '../../ui/field.tsx'
import { Notice } from '../../ui/layout.tsx'
import { FormDialog, ShownOnce } from '../shell/form-dialog.tsx'

const t = m.projects.invitations
const roles = ['member', 'viewer', 'owner'] as const
const lifetimes = [1, 7, 30]

/** Into one of `projects`, which is asked for where there are several. */
export function InviteDialog({
  projects,
  onClose,
}: {
  projects: readonly [ProjectView, ...ProjectView[]]
  onClose: () => void
}) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const create = useMutation(trpc.invitation.create.mutationOptions())
  const [project, setProject] = useState(projects[0])
  const [note, setNote] = useState('')
  const [role, setRole] = useState<(typeof roles)[number]>('member')
  const [days, setDays] = useState(7)
  const refused = create.error ? fieldErrors(create.error) : {}

  function submit() {
    create.mutate(
      { projectId: project.id, note: note.trim(), role, expiresInDays: days },
      {
        onSuccess: () =>
          void queries.invalidateQueries({
            queryKey: trpc.invitation.list.queryKey({ projectId: project.id }),
          }),
      },
    )
  }

  if (create.data)
    return (
      <ShownOnce title={t.madeTitle} text={t.madeText} done={t.done} onClose={onClose}>
        <CopyLine
          text={`${window.location.origin}${create.data.path}`}
          label={m.common.copy(t.link)}
          copiedLabel={m.common.copied}
        />
        {isLoopback(window.location.hostname) ? (
          <div className="mt-4">
            <Notice tone="warn" title={t.hereOnly}>
              {t.hereOnlyText}
            </Notice>
          </div>
        ) : null}
      </ShownOnce>
    )

  return (
    <FormDialog
      id="invite"
      title={t.inviteTitle(project.name)}
      description={t.inviteText(project.name)}
      submit={t.submit}
      busy={create.isPending}
      problem={
        create.error && Object.keys(refused).length === 0
          ? errorMessage(create.error, m.entry.signIn.unreachable)
          : null
      }
      onSubmit={submit}
      onClose={onClose}
    >
      {projects.length > 1 ? (
        <Field label={t.project}>
          <Select
            value={project.id}
            onChange={(event) =>
              setProject(projects.find(({ id }) => id === Number(event.target.value)) ?? project)
            }
          >
            {projects.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </Select>
        </Field>
      ) : null}
      <Field label={t.note} hint={t.noteHint} error={refused.note}>
        <Input
          value={note}
          onChange={(event) => setNote(event.target.value)}
          placeholder={t.notePlaceholder}
          maxLength={100}
          autoComplete="off"
        />
      </Field>
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        <Field label={t.role} hint={m.projects.roleHints[role]}>
          <Select
            value={role}
            onChange={(event) => setRole(roles.find((one) => one === event.target.value) ?? 'member')}
          >
            {roles.map((one) => (
              <option key={one} value={one}>
                {m.projects.roles[one]}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t.valid}>
          <Select value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {lifetimes.map((count) => (
              <option key={count} value={count}>
                {t.days(count)}
              </option>
            ))}
          </Select>
        </Field>
      </div>
    </FormDialog>
  )
}
