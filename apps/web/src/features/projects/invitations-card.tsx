'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { InvitationView, ProjectView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { dateTime } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'

const t = m.projects.invitations

export function InvitationsCard({ project }: { project: ProjectView }) {
  const trpc = useTRPC()
  const now = useNow()
  const { data, refetch } = useQuery(trpc.invitation.list.queryOptions({ projectId: project.id }))
  const [revoking, setRevoking] = useState<InvitationView | null>(null)
  const revoke = useMutation(
    trpc.invitation.revoke.mutationOptions({
      onSettled: () => void refetch(),
      onError: tellRefusal,
    }),
  )
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever joined by one changed the project
  useEffect(() => {
    void refetch()
  }, [project.members, refetch])
  if (!data || data.length === 0) return null
  return (
    <Card flush title={t.title}>
      <ul className="divide-y divide-line">
        {data.map((invitation) => (
          <li key={invitation.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
            <div className="min-w-0 flex-1 basis-48">
              <p className="truncate font-medium">{t.for(invitation.note)}</p>
              <p className="tnum text-13 text-ink-3">
                {now ? t.facts(m.projects.roles[invitation.role] ?? '', dateTime(invitation.expiresAt)) : ''}
              </p>
            </div>
            <Badge
              tone={invitation.status === 'open' ? 'ember' : invitation.status === 'used' ? 'ok' : 'quiet'}
            >
              {invitation.usedBy ? t.usedBy(invitation.usedBy) : t.status[invitation.status]}
            </Badge>
            {invitation.status === 'open' ? (
              <Button
                size="sm"
                aria-label={t.revokeLabel(t.for(invitation.note))}
                onClick={() => setRevoking(invitation)}
              >
                {t.revoke}
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      {revoking ? (
        <Confirm
          title={t.revokeTitle(t.for(revoking.note))}
          text={t.revokeText}
          action={t.revoke}
          cancel={m.common.cancel}
          closeLabel={m.common.close}
          busy={revoke.isPending}
          onClose={() => setRevoking(null)}
          onConfirm={() =>
            revoke.mutate(
              { projectId: project.id, invitationId: revoking.id },
              {
                onSuccess: () => {
                  toast.success(t.revoked(t.for(revoking.note)))
                  setRevoking(null)
                },
              },
            )
          }
        />
      ) : null}
    </Card>
  )
}
