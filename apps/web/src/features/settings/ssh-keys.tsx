'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus, Trash2 } from 'lucide-react'
import type { SshKeyView } from '../../data/hooks.ts'
import { useShownAtOnce } from '../../data/pending.ts'
import { withoutKeys } from '../../data/shown-at-once.ts'
import { useTRPC } from '../../data/trpc.ts'
import { useAddressDialog } from '../../lib/address-query.ts'
import { ago } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { SettingsList } from './settings-list.tsx'
import { SshKeyCreate } from './ssh-key-create.tsx'

const t = m.settings.keys

export function SshKeys() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { data, error } = useQuery(trpc.sshKey.list.queryOptions())
  const keys = useShownAtOnce(data, trpc.sshKey.delete.mutationKey(), withoutKeys)
  const [adding, setAdding] = useAddressDialog(['key'])
  const now = useNow()
  const keep = (change: (list: SshKeyView[]) => SshKeyView[]) =>
    queries.setQueryData(trpc.sshKey.list.queryKey(), (list) => list && change(list))
  const putBack = useMutation(
    trpc.sshKey.create.mutationOptions({
      onSuccess: (key) => keep((list) => [...list, key]),
      onError: tellRefusal,
    }),
  )
  const remove = useMutation(trpc.sshKey.delete.mutationOptions({ onError: tellRefusal }))
  /** Nothing is lost by it: VMs keep what they were given, and the same line makes it anew. */
  function removeKey({ id, name, publicKey }: SshKeyView) {
    remove.mutateAsync({ id }).then(
      () => {
        keep((list) => list.filter((key) => key.id !== id))
        toast.undoable(
          t.deleted(name),
          { label: m.common.undo, act: () => putBack.mutate({ name, publicKey }) },
          t.keptByVms,
        )
      },
      () => {},
    )
  }
  const add = (
    <Button variant="primary" icon={<Plus aria-hidden="true" />} onClick={() => setAdding('key')}>
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
            <IconButton label={t.delete(key.name)} onClick={() => removeKey(key)}>
              <Trash2 />
            </IconButton>
          </li>
        )}
      />
      {adding ? <SshKeyCreate onClose={() => setAdding(null)} onSaved={() => {}} /> : null}
    </div>
  )
}
