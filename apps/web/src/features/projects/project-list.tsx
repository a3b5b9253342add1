'use client'
import { useMutation } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { useProjects, useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { useAddressDialog } from '../../lib/address-query.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { EmptyState, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { FormDialog } from '../shell/form-dialog.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { QuotaGauges } from './quota-card.tsx'
import { RequestCard } from './request-list.tsx'

const t = m.projects

export function ProjectList() {
  const { session } = useSession()
  const { projects, error } = useProjects()
  const [creating, setCreating] = useAddressDialog(['project'])
  const admin = session?.user?.role === 'admin'
  return (
    <div className="flex flex-col gap-5">
      <PageHeader
        title={t.title}
        description={t.description}
        actions={
          <Button
            variant="primary"
            icon={<Plus aria-hidden="true" />}
            whyDisabled={admin ? null : t.createWhy}
            onClick={() => setCreating('project')}
          >
            {t.create}
          </Button>
        }
      />
      {error && !projects ? <LoadError error={error} /> : null}
      {!projects && !error ? <Skeleton className="h-56 rounded-card!" /> : null}
      {projects?.length === 0 ? (
        <section className="card">
          <EmptyState title={t.empty}>{t.emptyText}</EmptyState>
        </section>
      ) : null}
      <RequestCard requests={projects?.flatMap(({ requests }) => requests) ?? []} />
      {projects?.map((project) => (
        <section key={project.id} className="card p-5" aria-label={project.name}>
          <header className="mb-4 flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
            <h2 className="flex min-w-0 items-center gap-2.5 font-semibold">
              <Link href={paths.project(project.id)} className="truncate rounded hover:text-ember">
                {project.name}
              </Link>
              <Badge tone={project.role === 'owner' ? 'ember' : 'quiet'}>{t.roles[project.role]}</Badge>
            </h2>
            <p className="tnum text-13 text-ink-3">
              {t.members(project.members)} · {t.vms(project.running, project.vms)}
            </p>
          </header>
          <QuotaGauges project={project} />
        </section>
      ))}
      {creating ? <ProjectCreate onClose={() => setCreating(null)} /> : null}
    </div>
  )
}

function ProjectCreate({ onClose }: { onClose: () => void }) {
  const router = useRouter()
  const create = useMutation(useTRPC().project.create.mutationOptions())
  const [name, setName] = useState('')
  const [tried, setTried] = useState(false)
  const refused = create.error
    ? (fieldErrors(create.error).name ?? errorMessage(create.error, m.entry.signIn.unreachable))
    : null

  function submit() {
    setTried(true)
    if (!name.trim()) return
    create.mutate(
      { name: name.trim() },
      {
        onSuccess: (project) => {
          toast.success(t.created(project.name))
          router.push(paths.project(project.id))
        },
      },
    )
  }

  return (
    <FormDialog
      id="project-create"
      title={t.createTitle}
      description={t.createText}
      submit={t.createSubmit}
      busy={create.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field label={t.name} error={tried && !name.trim() ? t.nameNeeded : refused}>
        <Input
          value={name}
          onChange={(event) => {
            setName(event.target.value)
            if (create.error) create.reset()
          }}
          placeholder={t.namePlaceholder}
          maxLength={100}
          autoComplete="off"
        />
      </Field>
    </FormDialog>
  )
}
