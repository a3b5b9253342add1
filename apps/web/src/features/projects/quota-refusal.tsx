'use client'
import { limitFor, type Shortfall } from '@hearth/shared/quota'
import { useMutation } from '@tanstack/react-query'
import { errorMessage, quotaRefusal } from '../../data/errors.ts'
import { useProjects, useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Notice } from '../../ui/layout.tsx'
import { amount } from './amounts.ts'

const t = m.projects.quota

/** A refused request where it was made. For want of quota it offers, in one click, to ask for more or to raise it. */
export function RefusalNotice({ error }: { error: unknown }) {
  const refusal = quotaRefusal(error)
  return (
    <Notice tone="bad" title={errorMessage(error, m.entry.signIn.unreachable)}>
      {refusal ? (
        <span className="mt-1 flex flex-col gap-2">
          {refusal.shortfalls.map((short) => (
            <Missing key={short.key} projectId={refusal.projectId} short={short} />
          ))}
        </span>
      ) : null}
    </Notice>
  )
}

function Missing({ projectId, short }: { projectId: number; short: Shortfall }) {
  const trpc = useTRPC()
  const { session } = useSession()
  const { projects } = useProjects()
  const ask = useMutation(trpc.quota.request.mutationOptions())
  const raise = useMutation(trpc.quota.set.mutationOptions())
  const wanted = limitFor(short)
  const { key } = short
  const open = projects
    ?.find(({ id }) => id === projectId)
    ?.requests.some((one) => one.key === key && one.status === 'open' && one.wanted >= wanted)
  const admin = session?.user?.role === 'admin'
  const failed = ask.error ?? raise.error
  return (
    <span className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1.5">
      <span className="tnum">
        {t.keys[key]}: {t.left(amount(key, short.left), amount(key, short.asked))}
      </span>
      {raise.isSuccess ? (
        <span role="status">{t.raised}</span>
      ) : admin ? (
        <Button
          size="sm"
          busy={raise.isPending}
          onClick={() => raise.mutate({ projectId, limits: { [key]: wanted } })}
        >
          {t.raise(amount(key, wanted))}
        </Button>
      ) : ask.isSuccess || open ? (
        <span role="status">{ask.isSuccess ? t.asked : t.askedAlready}</span>
      ) : (
        <Button size="sm" busy={ask.isPending} onClick={() => ask.mutate({ projectId, key, wanted })}>
          {t.ask}
        </Button>
      )}
      {failed ? (
        <span role="alert" className="basis-full text-bad">
          {errorMessage(failed, m.entry.signIn.unreachable)}
        </span>
      ) : null}
    </span>
  )
}
