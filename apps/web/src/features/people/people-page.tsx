'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Ellipsis, UserPlus } from 'lucide-react'
import Link from 'next/link'
import { useState } from 'react'
import { errorMessage } from '../../data/errors.ts'
import { type PersonView, useProjects } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { useAddressDialog } from '../../lib/address-query.ts'
import { ago } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button, IconButton } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { PageHeader, Skeleton } from '../../ui/layout.tsx'
import { Menu, MenuItem } from '../../ui/menu.tsx'
import { toast } from '../../ui/toast.tsx'
import { InviteDialog } from '../projects/invite-dialog.tsx'
import { needsConfirmation, useConfirmIdentity } from '../settings/confirm-identity.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'

const t = m.projects.persons

/** Everybody in the home; for its administrators. */
export function PeoplePage() {
  const trpc = useTRPC()
  const { data: people, error, refetch } = useQuery(trpc.person.list.queryOptions())
  const { confirming, dialog } = useConfirmIdentity()
  const failed = tellRefusal
  const setRole = useMutation(
    trpc.person.setRole.mutationOptions({
      onError: (failure, input) =>
        needsConfirmation(failure) ? confirming(() => setRole.mutate(input)) : failed(failure),
      onSettled: () => void refetch(),
    }),
  )
  const remove = useMutation(trpc.person.remove.mutationOptions())
  const [removing, setRemoving] = useState<PersonView | null>(null)
  const [inviting, setInviting] = useAddressDialog(['person'])
  const [first, ...others] = useProjects().projects?.filter(({ can }) => can.invite.ok) ?? []

  function removePerson(person: PersonView) {
    remove.mutate(
      { userId: person.userId },
      {
        onError: (failure) => {
          if (needsConfirmation(failure)) confirming(() => removePerson(person))
        },
        onSuccess: () => {
          toast.success(t.removed(person.name))
          setRemoving(null)
          void refetch()
        },
      },
    )
  }

  return (
    <div className="flex flex-col gap-5">
      <PageHeader
        title={t.title}
        description={t.description}
        actions={
          <Button
            variant="primary"
            icon={<UserPlus aria-hidden="true" />}
            whyDisabled={first ? null : t.noProject}
            onClick={() => setInviting('person')}
          >
            {m.projects.invitations.invite}
          </Button>
        }
      />
      {error && !people ? <LoadError error={error} /> : null}
      {!people && !error ? <Skeleton className="h-40 rounded-card!" /> : null}
      {people ? (
        <ul className="card divide-y divide-line">
          {people.map((person) => (
            <PersonLine
              key={person.userId}
              person={person}
              onRole={(role) => setRole.mutate({ userId: person.userId, role })}
              onRemove={() => setRemoving(person)}
            />
          ))}
        </ul>
      ) : null}
      {removing ? (
        <Confirm
          title={t.removeTitle(removing.name)}
          text={t.removeText}
          action={t.remove}
          cancel={m.common.cancel}
          closeLabel={m.common.close}
          danger
          busy={remove.isPending}
          error={
            remove.error && !needsConfirmation(remove.error)
              ? errorMessage(remove.error, m.entry.signIn.unreachable)
              : null
          }
          onConfirm={() => removePerson(removing)}
          onClose={() => {
            setRemoving(null)
            remove.reset()
          }}
        />
      ) : null}
      {inviting && first ? (
        <InviteDialog projects={[first, ...others]} onClose={() => setInviting(null)} />
      ) : null}
      {dialog}
    </div>
  )
}

function PersonLine({
  person,
  onRole,
  onRemove,
}: {
  person: PersonView
  onRole: (role: PersonView['role']) => void
  onRemove: () => void
}) {
  const now = useNow()
  const yourself = person.isYou ? t.yourself : null
  const admin = person.role === 'admin'
  const secured = [
    t.password,
    person.twoFactor ? t.twoFactor : null,
    person.passkeys > 0 ? t.passkeys(person.passkeys) : null,
  ].filter(Boolean)
  return (
    <li className="flex items-start gap-x-4 px-5 py-3.5">
      <div className="grid min-w-0 flex-1 grid-cols-1 gap-x-6 gap-y-1 sm:grid-cols-3">
        <div className="min-w-0">
          <p className="flex items-center gap-2">
            <span className="truncate font-medium">{person.name}</span>
            {person.isYou ? <Badge>{m.projects.people.you}</Badge> : null}
            {admin ? <Badge tone="ember">{m.projects.people.admin}</Badge> : null}
          </p>
          <p className="truncate text-13 text-ink-3">{person.email}</p>
        </div>
        <p className="text-13 text-ink-2">
          <span className="sr-only">{t.projects}: </span>
          {person.projects.map((project, index) => (
            <span key={project.id}>
              {index > 0 ? ', ' : ''}
              <Link href={paths.project(project.id)} className="rounded hover:text-ember">
                {project.name}
              </Link>{' '}
              <span className="text-ink-3">({m.projects.roles[project.role]})</span>
            </span>
          ))}
        </p>
        <p className="text-13 text-ink-3">
          <span className="sr-only">{t.security}: </span>
          {secured.join(' · ')}
          <span className="tnum block">
            {person.isYou
              ? t.hereNow
              : !now
                ? ''
                : person.lastSeenAt
                  ? t.lastSeen(ago(person.lastSeenAt, now, m.common.justNow))
                  : t.never}
          </span>
        </p>
      </div>
      <Menu
        trigger={
          <IconButton label={t.menu(person.name)}>
            <Ellipsis />
          </IconButton>
        }
      >
        <MenuItem onSelect={() => onRole(admin ? 'member' : 'admin')}>
          {admin ? t.takeAdmin : t.makeAdmin}
        </MenuItem>
        <MenuItem danger whyDisabled={yourself} onSelect={onRemove}>
          {t.remove}
        </MenuItem>
      </Menu>
    </li>
  )
}
