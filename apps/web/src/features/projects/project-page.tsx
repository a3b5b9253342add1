'use client'
import { useMutation } from '@tanstack/react-query'
import { ChevronLeft } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { type ProjectView, useProjects } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { Card, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { needsConfirmation, useConfirmIdentity } from '../settings/confirm-identity.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { NotFound } from '../shell/not-found.tsx'
import { InvitationsCard } from './invitations-card.tsx'
import { MembersCard } from './members-card.tsx'
import { QuotaCard } from './quota-card.tsx'
import { RequestCard } from './request-list.tsx'

const t = m.projects

export function ProjectPage({ id }: { id: number }) {
  const { projects, error } = useProjects()
  const project = projects?.find((each) => each.id === id)
  if (error && !projects) return <LoadError error={error} />
  if (!projects) return <Skeleton className="h-72 rounded-card!" />
  if (!project) return <NotFound title={t.notFound.title} text={t.notFound.text} />
  return (
    <div className="flex flex-col gap-5">
      <div>
        <Link
          href={paths.projects()}
          className="-ml-1.5 mb-2 inline-flex items-center gap-1 rounded-md px-1.5 py-0.5 text-13 text-ink-3 hover:text-ink"
        >
          <ChevronLeft className="size-3.5" aria-hidden="true" />
          {t.title}
        </Link>
        <PageHeader
          title={
            <span className="flex flex-wrap items-center gap-3">
              {project.name}
              <Badge tone={project.role === 'owner' ? 'ember' : 'quiet'}>{t.roles[project.role]}</Badge>
            </span>
          }
          description={`${t.members(project.members)} · ${t.vms(project.running, project.vms)}`}
        />
      </div>
      <RequestCard requests={project.requests} />
      <QuotaCard project={project} />
      <MembersCard project={project} />
      {project.can.invite.ok ? <InvitationsCard project={project} /> : null}
      {project.can.rename.ok ? <ProjectSettings key={project.id} project={project} /> : null}
    </div>
  )
}

function ProjectSettings({ project }: { project: ProjectView }) {
  const trpc = useTRPC()
  const router = useRouter()
  const rename = useMutation(trpc.project.rename.mutationOptions())
  const remove = useMutation(trpc.project.delete.mutationOptions())
  const [name, setName] = useState(project.name)
  const [deleting, setDeleting] = useState(false)
  const { confirming, dialog } = useConfirmIdentity()
  const unchanged = !name.trim() || name.trim() === project.name
  const refused = rename.error
    ? (fieldErrors(rename.error).name ?? errorMessage(rename.error, m.entry.signIn.unreachable))
    : null

  function submit(event: FormEvent) {
    event.preventDefault()
    if (unchanged || rename.isPending) return
    rename.mutate(
      { projectId: project.id, name: name.trim() },
      { onSuccess: () => toast.success(t.settings.renamed) },
    )
  }

  function removeProject() {
    remove.mutate(
      { projectId: project.id, confirmName: project.name },
      {
        onError: (error) => {
          if (needsConfirmation(error)) confirming(removeProject)
        },
        onSuccess: () => {
          toast.success(t.settings.deleted(project.name))
          router.replace(paths.projects())
        },
      },
    )
  }

  return (
    <Card title={t.settings.title}>
      <form onSubmit={submit} noValidate className="flex max-w-lg items-end gap-3">
        <Field label={t.name} error={refused} className="flex-1">
          <Input
            value={name}
            onChange={(event) => setName(event.target.value)}
            maxLength={100}
            autoComplete="off"
          />
        </Field>
        <Button
          type="submit"
          busy={rename.isPending}
          whyDisabled={unchanged ? m.settings.account.nothingToSave : null}
        >
          {t.settings.rename}
        </Button>
      </form>
      <div className="mt-5 border-line border-t pt-5">
        <Button variant="danger" whyDisabled={project.can.delete.why} onClick={() => setDeleting(true)}>
          {t.settings.delete}
        </Button>
      </div>
      {deleting ? (
        <Confirm
          title={t.settings.deleteTitle(project.name)}
          text={t.settings.deleteText}
          action={t.settings.delete}
          cancel={m.common.cancel}
          closeLabel={m.common.close}
          danger
          busy={remove.isPending}
          error={
            remove.error && !needsConfirmation(remove.error)
              ? errorMessage(remove.error, m.entry.signIn.unreachable)
              : null
          }
          typeName={{
            name: project.name,
            label: m.common.confirmType(project.name),
            mismatch: m.common.confirmMismatch(project.name),
          }}
          onConfirm={removeProject}
          onClose={() => setDeleting(false)}
        />
      ) : null}
      {dialog}
    </Card>
  )
}
