'use client'
import { useMutation } from '@tanstack/react-query'
import { errorMessage } from '../../data/errors.ts'
import { type QuotaRequestView, useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Card } from '../../ui/layout.tsx'
import { amount } from './amounts.ts'

const t = m.projects.requests

/** Who asks for more, with the answer in reach; and what became of one's own wishes. */
export function RequestCard({ requests }: { requests: readonly QuotaRequestView[] }) {
  if (requests.length === 0) return null
  return (
    <Card title={t.title} flush>
      <ul className="divide-y divide-line">
        {requests.map((request) => (
          <RequestLine key={request.id} request={request} />
        ))}
      </ul>
    </Card>
  )
}

function RequestLine({ request }: { request: QuotaRequestView }) {
  const { session } = useSession()
  const answer = useMutation(useTRPC().quota.answer.mutationOptions())
  const { key, status } = request
  const what = m.projects.quota.keys[key] ?? key
  const open = status === 'open'
  const mayAnswer = request.can.grant.ok || request.can.decline.ok
  const own = request.person === session?.user?.name && !mayAnswer
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5">
      <div className="min-w-0 flex-1 basis-64">
        <p className="tnum">
          {own
            ? t.own(what, amount(key, request.wanted))
            : t.line(request.person, what, amount(key, request.wanted), amount(key, request.limitThen))}
        </p>
        {request.reason ? <p className="text-13 text-ink-2">“{request.reason}”</p> : null}
        {request.answer ? (
          <p className="text-13 text-ink-2">
            “{request.answer}” {request.answeredBy ? t.by(request.answeredBy) : null}
          </p>
        ) : null}
        {answer.error ? (
          <p role="alert" className="text-13 text-bad">
            {errorMessage(answer.error, m.entry.signIn.unreachable)}
          </p>
        ) : null}
      </div>
      {open && mayAnswer ? (
        <div className="flex gap-2">
          <Button
            size="sm"
            whyDisabled={request.can.decline.why}
            busy={answer.isPending && !answer.variables.grant}
            onClick={() => answer.mutate({ id: request.id, grant: false })}
          >
            {t.decline}
          </Button>
          <Button
            size="sm"
            variant="primary"
            whyDisabled={request.can.grant.why}
            busy={answer.isPending && answer.variables.grant}
            onClick={() => answer.mutate({ id: request.id, grant: true })}
          >
            {t.grant}
          </Button>
        </div>
      ) : (
        <Badge tone={status === 'granted' ? 'ok' : status === 'declined' ? 'bad' : 'quiet'}>
          {open ? t.waiting : t[status]}
        </Badge>
      )}
    </li>
  )
}
