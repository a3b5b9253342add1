'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { errorMessage } from '../../data/errors.ts'
import type { SshKeyView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { ago } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { toast } from '../../ui/toast.tsx'
import { SettingsList } from './settings-list.tsx'
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
      <SettingsList
        title={t.title}
        description={t.description}
        add={add}
        items={keys}
        error={error}
        art={<KeyRound className="size-8 text-ink-3" aria-hidden="true" />}
        empty={t.empty}
        emptyText={t.emptyText}
        render={(key) => (
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
            <CopyButton text={key.publicKey} label={m.common.copy(key.name)} copiedLabel={m.common.copied} />
            <IconButton label={t.delete(key.name)} onClick={() => setDeleting(key)}>
              <Trash2 />
            </IconButton>
          </li>
        )}
      />
      {adding ? <SshKeyCreate onClose={() => setAdding(false)} onSaved={() => {}} /> : null}
      {deleting ? (
        <Confirm
          danger
          title={t.confirmTitle(deleting.name)}
          text={t.confirmText}
          action={t.confirm}
          cancel={m.common.cancel}
          closeLabel={m.common.close}
          busy={remove.isPending}
          onClose={() => setDeleting(null)}
          onConfirm={() =>
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
        />
      ) : null}
    </div>
  )
}
