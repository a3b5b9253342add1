'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useEffect, useState } from 'react'
import { signOut } from '../../data/auth.ts'
import { errorMessage } from '../../data/errors.ts'
import { useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { Notice, Skeleton } from '../../ui/layout.tsx'
import { AccountForm } from './account-form.tsx'
import { EntryCard } from './entry-card.tsx'
import { useFragmentToken } from './fragment-token.ts'

const t = m.projects.invitation

const kept = 'hearth.invitation'

/** The link's token, which is kept in this tab while one signs in: an address with it would be in a log. */
function useInvitationToken(): string | null | undefined {
  const token = useFragmentToken()
  const [remembered, setRemembered] = useState<string | null>()
  useEffect(() => {
    if (token) window.sessionStorage.setItem(kept, token)
    else if (token === null) setRemembered(window.sessionStorage.getItem(kept))
  }, [token])
  return token ?? (token === null ? remembered : undefined)
}

/** Where an invitation leads: a new account, or the one somebody has; then into the project. */
export function Invitation() {
  const token = useInvitationToken()
  const { session } = useSession()
  const { data, error } = useQuery({
    ...useTRPC().invitation.check.queryOptions(
      { token: token ?? '' },
      { staleTime: Number.POSITIVE_INFINITY },
    ),
    enabled: Boolean(token),
  })
  if (token === null) return <Bad kind="missing" />
  if (error)
    return <EntryCard title={t.bad.unknown.title} intro={errorMessage(error, m.entry.signIn.unreachable)} />
  if (!token || !data || !session)
    return (
      <EntryCard title={t.pageTitle} wide>
        <div role="status" aria-label={t.checking} className="flex flex-col gap-5">
          {[0, 1, 2].map((line) => (
            <Skeleton key={line} className="h-14 w-full" />
          ))}
        </div>
      </EntryCard>
    )
  if (data.status !== 'open') return <Bad kind={data.status} />
  const intro = t.intro(
    data.invitedBy ?? t.somebody,
    session.homeName,
    m.projects.roles[data.role ?? 'viewer'] ?? '',
  )
  return (
    <EntryCard title={t.title(data.project ?? '')} intro={intro} wide>
      {session.user ? <Accept token={token} name={session.user.name} /> : <Register token={token} />}
    </EntryCard>
  )
}

function Bad({ kind }: { kind: keyof typeof t.bad }) {
  return (
    <EntryCard title={t.bad[kind].title} intro={t.bad[kind].text}>
      <Link href={paths.signIn()} className={buttonClass('secondary')}>
        {m.entry.setup.toSignIn}
      </Link>
    </EntryCard>
  )
}

function Accept({ token, name }: { token: string; name: string }) {
  const router = useRouter()
  const accept = useMutation(useTRPC().invitation.accept.mutationOptions())
  return (
    <div className="flex flex-col gap-4">
      {accept.error ? (
        <Notice tone="bad" title={errorMessage(accept.error, m.entry.signIn.unreachable)} />
      ) : null}
      <p className="text-ink-2">{t.asYou(name)}</p>
      <Button
        variant="primary"
        size="lg"
        busy={accept.isPending}
        className="w-full"
        onClick={() =>
          accept.mutate(
            { token },
            {
              onSuccess: () => {
                window.sessionStorage.removeItem(kept)
                router.replace(paths.home())
              },
            },
          )
        }
      >
        {t.accept}
      </Button>
      <Button variant="ghost" onClick={() => void signOut()}>
        {t.otherAccount}
      </Button>
    </div>
  )
}

function Register({ token }: { token: string }) {
  const register = useMutation(useTRPC().invitation.register.mutationOptions())
  return (
    <AccountForm
      label={t.pageTitle}
      submit={t.submit}
      make={(account) => register.mutateAsync({ token, ...account })}
      next={paths.home()}
    >
      <Link
        href={paths.signIn({ next: paths.invitation() })}
        className="text-center font-medium text-13 text-ember underline underline-offset-2"
      >
        {t.haveAccount}
      </Link>
    </AccountForm>
  )
}
