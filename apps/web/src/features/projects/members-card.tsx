'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { errorMessage } from '../../data/errors.ts'
import type { MemberView, ProjectView } from '../../data/hooks.ts'
import { useShownAtOnce } from '../../data/pending.ts'
import { changedRoles } from '../../data/shown-at-once.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { Field, Select } from '../../ui/field.tsx'
import { Card, Skeleton } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { InviteDialog } from './invite-dialog.tsx'

const t = m.projects.people
const roles = ['viewer', 'member', 'owner'] as const

export function MembersCard({ project }: { project: ProjectView }) {
  const trpc = useTRPC()
  const { data, refetch } = useQuery(trpc.project.members.queryOptions({ projectId: project.id }))
  const members = useShownAtOnce(data, trpc.project.setRole.mutationKey(), changedRoles)
  const setRole = useMutation(trpc.project.setRole.mutationOptions())
  const remove = useMutation(trpc.project.removeMember.mutationOptions())
  const leave = useMutation(trpc.project.leave.mutationOptions())
  const [inviting, setInviting] = useState(false)
  const [removing, setRemoving] = useState<MemberView | null>(null)
  // The list of projects is live; whatever changes it may have changed who is in this one.
  // biome-ignore lint/correctness/useExhaustiveDependencies: listens to the project's own change
  useEffect(() => {
    void refetch()
  }, [project, refetch])
  const mayChange = project.can.invite

  function close() {
    setRemoving(null)
    remove.reset()
    leave.reset()
  }

  /** Shown at once, and back with one click: the wrong line of a list is soon chosen. */
  function give(member: MemberView, role: MemberView['role']) {
    const before = member.role
    const set = (wanted: MemberView['role']) =>
      setRole
        .mutateAsync({ projectId: project.id, userId: member.userId, role: wanted })
        .finally(() => refetch())
    const takeBack = () => void set(before).catch(() => {})
    set(role).then(
      () =>
        toast.undoable(t.roleGiven(member.name, m.projects.roles[role] ?? role), {
          label: m.common.undo,
          act: takeBack,
        }),
      // Its field says it.
      () => {},
    )
  }

  function confirmed(member: MemberView) {
    const options = {
      onSuccess: () => {
        if (!member.isYou) toast.success(t.removed(member.name))
        close()
        void refetch()
      },
    }
    if (member.isYou) leave.mutate({ projectId: project.id }, options)
    else remove.mutate({ projectId: project.id, userId: member.userId }, options)
  }

  return (
    <Card
      flush
      title={t.title}
      aside={
        <Button size="sm" whyDisabled={mayChange.why} onClick={() => setInviting(true)}>
          {m.projects.invitations.invite}
        </Button>
      }
    >
      {members ? (
        <ul className="divide-y divide-line">
          {members.map((member) => (
            <li key={member.userId} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
              <div className="min-w-0 flex-1 basis-48">
                <p className="flex items-center gap-2">
                  <span className="truncate font-medium">{member.name}</span>
                  {member.isYou ? <Badge>{t.you}</Badge> : null}
                  {member.isAdmin ? <Badge tone="ember">{t.admin}</Badge> : null}
                </p>
                <p className="truncate text-13 text-ink-3">{member.email}</p>
              </div>
              {mayChange.ok ? (
                <Field
                  label={t.roleOf(member.name)}
                  labelHidden
                  error={
                    setRole.error && setRole.variables.userId === member.userId
                      ? errorMessage(setRole.error, m.entry.signIn.unreachable)
                      : null
                  }
                >
                  <Select
                    className="w-36"
                    value={member.role}
                    onChange={(event) => {
                      const role = roles.find((one) => one === event.target.value) ?? member.role
                      give(member, role)
                    }}
                  >
                    {roles.map((role) => (
                      <option key={role} value={role}>
                        {m.projects.roles[role]}
                      </option>
                    ))}
                  </Select>
                </Field>
              ) : (
                <span className="text-13 text-ink-2">{m.projects.roles[member.role]}</span>
              )}
              {member.isYou ? (
                <Button size="sm" whyDisabled={project.can.leave.why} onClick={() => setRemoving(member)}>
                  {t.leave}
                </Button>
              ) : mayChange.ok ? (
                <Button size="sm" aria-label={t.removeLabel(member.name)} onClick={() => setRemoving(member)}>
                  {t.remove}
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      ) : (
        <div className="p-5">
          <Skeleton className="h-16" />
        </div>
      )}
      {inviting ? <InviteDialog projects={[project]} onClose={() => setInviting(false)} /> : null}
      {removing ? (
        <Confirm
          title={removing.isYou ? t.leaveTitle(project.name) : t.removeTitle(removing.name, project.name)}
          text={removing.isYou ? t.leaveText : t.removeText}
          action={removing.isYou ? t.leave : t.removeLabel(removing.name)}
          cancel={m.common.cancel}
          closeLabel={m.common.close}
          danger
          busy={remove.isPending || leave.isPending}
          error={
            remove.error || leave.error
              ? errorMessage(remove.error ?? leave.error, m.entry.signIn.unreachable)
              : null
          }
          onConfirm={() => confirmed(removing)}
          onClose={close}
        />
      ) : null}
    </Card>
  )
}
