'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { errorMessage } from '../../data/errors.ts'
import type { SshKeyView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { ago } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/index.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { SshKeyCreate } from './ssh-key-create.tsx'

const t = m.settings.keys

export function SshKeys() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { data: keys, error } = useQuery(trpc.sshKey.list.queryOptions())
  const [adding, setAdding] = useState(false)
  const [deleting, setDeleting] = useState<SshKeyView | null>(null)
  const now = useNow()
  const remove = useMutation(
    trpc.sshKey.delete.mutationOptions({
      onError: (failure) => toast.error(m.common.failed, errorMessage(failure, m.entry.signIn.unreachable)),
    }),
  )
  const add = (
    <Button variant="primary" icon={<Plus aria-hidden="true" />} onClick={() => setAdding(true)}>
      {t.add}
    </Button>
  )
  return (
    <div className="flex flex-col gap-5">
      <PageHeader
        title={t.title}
        description={t.description}
        actions={keys && keys.length > 0 ? add : null}
      />
      {error && !keys ? <LoadError error={error} /> : null}
      {!keys && !error ? <Skeleton className="h-32 rounded-card!" /> : null}
      {keys?.length === 0 ? (
        <section className="card">
          <EmptyState
            art={<KeyRound className="size-8 text-ink-3" aria-hidden="true" />}
            title={t.empty}
            action={add}
          >
            {t.emptyText}
          </EmptyState>
        </section>
      ) : null}
      {keys && keys.length > 0 ? (
        <ul className="card divide-y divide-line">
          {keys.map((key) => (
            <li key={key.id} className="flex items-center gap-4 px-5 py-3.5">
              <KeyRound className="size-4.5 shrink-0 text-ink-3" aria-hidden="true" />
              <div className="min-w-0 flex-1">
                <p className="truncate font-medium">{key.name}</p>
                <p className="truncate text-13 text-ink-3">
                  <span className="font-mono text-xs">{key.fingerprint}</span>
                </p>
              </div>
              <span className="tnum hidden text-13 text-ink-3 sm:block">
                {now ? t.added(ago(key.createdAt, now, m.common.justNow)) : ''}
              </span>
              <CopyButton
                text={key.publicKey}
                label={m.common.copy(key.name)}
                copiedLabel={m.common.copied}
              />
              <IconButton label={t.delete(key.name)} onClick={() => setDeleting(key)}>
                <Trash2 />
              </IconButton>
            </li>
          ))}
        </ul>
      ) : null}
      {adding ? <SshKeyCreate onClose={() => setAdding(false)} onSaved={() => {}} /> : null}
      {deleting ? (
        <Dialog
          open
          onClose={() => setDeleting(null)}
          closeLabel={m.common.close}
          title={t.confirmTitle(deleting.name)}
          description={t.confirmText}
          footer={
            <>
              <Button onClick={() => setDeleting(null)}>{m.common.cancel}</Button>
              <Button
                variant="danger"
                busy={remove.isPending}
                onClick={() =>
                  remove.mutate(
                    { id: deleting.id },
                    {
                      onSuccess: () => {
                        queries.setQueryData(trpc.sshKey.list.queryKey(), (list) =>
                          list?.filter((key) => key.id !== deleting.id),
                        )
                        toast.success(t.deleted(deleting.name))
                        setDeleting(null)
                      },
                    },
                  )
                }
              >
                {t.confirm}
              </Button>
            </>
          }
        />
      ) : null}
    </div>
  )
}
