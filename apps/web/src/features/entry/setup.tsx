'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { errorMessage } from '../../data/errors.ts'
import { useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { CopyLine } from '../../ui/copy.tsx'
import { Skeleton } from '../../ui/layout.tsx'
import { TextLink } from '../shell/text-link.tsx'
import { AccountForm } from './account-form.tsx'
import { EntryCard } from './entry-card.tsx'
import { useFragmentToken } from './fragment-token.ts'

const t = m.entry.setup

export function Setup() {
  const token = useFragmentToken()
  const trpc = useTRPC()
  const { data, error } = useQuery({
    ...trpc.setup.check.queryOptions({ token: token ?? '' }, { staleTime: Number.POSITIVE_INFINITY }),
    enabled: Boolean(token),
  })
  const { session, error: away } = useSession()

  if (token === null && (session || away))
    return session && !session.setupNeeded ? <BadLink kind="used" /> : <BadLink kind="missing" />
  if (error) return <BadLink kind="unknown" detail={errorMessage(error, m.entry.signIn.unreachable)} />
  if (!token || !data)
    return (
      // Nothing of the form: whether there is one is just being found out.
      <EntryCard title={t.checking} wide>
        <div role="status" aria-label={t.checking}>
          <Skeleton className="h-10 w-full" />
        </div>
      </EntryCard>
    )
  if (data.status !== 'valid')
    return (
      <BadLink kind={data.status === 'done' ? 'used' : data.status === 'expired' ? 'expired' : 'unknown'} />
    )
  return <SetupForm token={token} tls={session?.tls ?? false} />
}

function BadLink({ kind, detail }: { kind: keyof typeof t.invalid; detail?: string }) {
  const texts = t.invalid[kind]
  return (
    <EntryCard title={texts.title} intro={texts.text} wide>
      {detail ? <p className="mb-4 text-13 text-ink-2">{detail}</p> : null}
      {kind === 'used' ? (
        <Link href={paths.signIn()} className={buttonClass('primary')}>
          {t.toSignIn}
        </Link>
      ) : (
        <>
          <p className="mb-2 text-13 text-ink-2">{t.newLink}</p>
          <CopyLine
            text="npm start"
            prompt="$"
            label={m.common.copy('npm start')}
            copiedLabel={m.common.copied}
          />
        </>
      )}
    </EntryCard>
  )
}

function SetupForm({ token, tls }: { token: string; tls: boolean }) {
  const complete = useMutation(useTRPC().setup.complete.mutationOptions())
  return (
    <EntryCard title={t.title} intro={t.intro} wide>
      <p className="-mt-3 mb-4 text-13 text-ink-3">{m.welcome.step(1, 3)}</p>
      <AccountForm
        label={t.title}
        submit={t.submit}
        leading={{
          name: 'homeName',
          label: t.homeName,
          hint: t.homeNameHint,
          placeholder: t.homeNamePlaceholder,
          needed: t.homeNeeded,
        }}
        make={(account, homeName) => complete.mutateAsync({ token, homeName, ...account })}
        next={paths.welcome()}
      >
        {tls ? (
          <p className="text-13 text-ink-2">
            <span className="block font-medium text-ink">{t.trustTitle}</span>
            {t.trustText} <TextLink href={paths.trust()}>{t.trustLink}</TextLink>
          </p>
        ) : null}
      </AccountForm>
    </EntryCard>
  )
}
