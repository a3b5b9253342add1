'use client'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { listSessions, signOutOthers, signOutSession } from '../../data/auth.ts'
import { ago } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { deviceName } from './device-name.ts'

const t = m.settings.account

/** Where one is signed in; each place can be signed out from here. */
export function SessionsCard() {
  const now = useNow()
  const { data, refetch } = useQuery({ queryKey: ['auth', 'sessions'], queryFn: listSessions, retry: 1 })
  const [busy, setBusy] = useState(false)
  if (!data) return null
  const others = data.filter((session) => !session.current).length

  async function leaveOne(token: string) {
    const result = await signOutSession(token)
    await refetch()
    if (result === 'ok') toast.success(m.security.sessions.signedOut)
    else toast.error(m.common.failed, m.entry.signIn.unreachable)
  }

  async function leaveOthers() {
    setBusy(true)
    const result = await signOutOthers()
    await refetch()
    setBusy(false)
    if (result === 'ok') toast.success(t.signedOutOthers)
    else toast.error(m.common.failed, m.entry.signIn.unreachable)
  }

  return (
    <Card
      flush
      title={t.sessions}
      aside={
        <Button
          size="sm"
          busy={busy}
          whyDisabled={others === 0 ? t.onlyThis : null}
          onClick={() => void leaveOthers()}
        >
          {t.signOutOthers}
        </Button>
      }
    >
      <ul className="divide-y divide-line">
        {[...data]
          .sort((a, b) => Number(b.current) - Number(a.current))
          .map((session) => (
            <li key={session.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
              <span className="min-w-0 flex-1 basis-48">
                {deviceName(session.userAgent) ?? t.unknownDevice}
                {session.current ? (
                  <span className="ml-2 font-medium text-13 text-ok">{t.thisDevice}</span>
                ) : null}
              </span>
              <span className="tnum text-13 text-ink-3">
                {now
                  ? [session.address, t.since(ago(session.createdAt, now, m.common.justNow))]
                      .filter(Boolean)
                      .join(' · ')
                  : ''}
              </span>
              {session.current ? null : (
                <Button
                  size="sm"
                  aria-label={m.security.sessions.signOutLabel(
                    deviceName(session.userAgent) ?? t.unknownDevice,
                  )}
                  onClick={() => void leaveOne(session.token)}
                >
                  {m.security.sessions.signOut}
                </Button>
              )}
            </li>
          ))}
      </ul>
    </Card>
  )
}
