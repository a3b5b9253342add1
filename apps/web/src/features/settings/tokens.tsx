'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, SquareTerminal } from 'lucide-react'
import { useState } from 'react'
import type { TokenView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { useAddressDialog } from '../../lib/address-query.ts'
import { ago, dateTime } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { TextLink } from '../shell/text-link.tsx'
import { SettingsList } from './settings-list.tsx'
import { TokenCreate } from './token-create.tsx'

const t = m.settings.tokens

export function Tokens() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { data: tokens, error } = useQuery(trpc.token.list.queryOptions())
  const [creating, setCreating] = useAddressDialog(['token'])
  const [revoking, setRevoking] = useState<TokenView | null>(null)
  const revoke = useMutation(
    trpc.token.revoke.mutationOptions({
      onError: tellRefusal,
    }),
  )
  const create = (
    <Button variant="primary" icon={<Plus aria-hidden="true" />} onClick={() => setCreating('token')}>
      {t.create}
    </Button>
  )
  return (
    <div className="flex flex-col gap-5">
      <SettingsList
        title={t.title}
        description={
          <>
            {t.description} <TextLink href={paths.apiReference()}>{m.api.title}</TextLink>
          </>
        }
        add={create}
        items={tokens}
        error={error}
        art={<SquareTerminal className="size-8 text-ink-3" aria-hidden="true" />}
        empty={t.empty}
        emptyText={t.emptyText}
        render={(token) => <TokenLine key={token.id} token={token} onRevoke={() => setRevoking(token)} />}
      />
      {creating ? <TokenCreate onClose={() => setCreating(null)} /> : null}
      {revoking ? (
        <Confirm
          danger
          title={t.revokeTitle(revoking.name)}
          text={t.revokeText}
          action={t.revoke}
          cancel={m.common.cancel}
          closeLabel={m.common.close}
          busy={revoke.isPending}
          onClose={() => setRevoking(null)}
          onConfirm={() =>
            revoke.mutate(
              { id: revoking.id },
              {
                onSuccess: () => {
                  queries.setQueryData(trpc.token.list.queryKey(), (list) =>
                    list?.filter((token) => token.id !== revoking.id),
                  )
                  toast.success(t.revoked(revoking.name))
                  setRevoking(null)
                },
              },
            )
          }
        />
      ) : null}
    </div>
  )
}

function TokenLine({ token, onRevoke }: { token: TokenView; onRevoke: () => void }) {
  const now = useNow()
  const facts = now
    ? [
        token.lastUsedAt ? t.lastUsed(ago(token.lastUsedAt, now, m.common.justNow)) : t.neverUsed,
        token.expired ? t.expired : token.expiresAt ? t.expiresOn(dateTime(token.expiresAt)) : t.neverExpires,
      ]
    : []
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex items-center gap-2.5">
          <span className="truncate font-medium">{token.name}</span>
          <span className="shrink-0 rounded-full bg-quiet-soft px-2 py-0.5 font-medium text-2xs text-ink-2">
            {t.scopes[token.scope]}
          </span>
          <span className="truncate text-13 text-ink-3">{token.project.name}</span>
        </p>
        <p className="tnum truncate text-13 text-ink-3">
          <span className="font-mono text-xs">{token.prefix}</span>
          {facts.map((fact) => (
            <span key={fact}> · {fact}</span>
          ))}
        </p>
      </div>
      <Button size="sm" onClick={onRevoke} aria-label={t.revokeLabel(token.name)}>
        {t.revoke}
      </Button>
    </li>
  )
}
