'use client'
import { useQuery } from '@tanstack/react-query'
import { KeyRound } from 'lucide-react'
import { useEffect, useState } from 'react'
import {
  type AuthResult,
  addPasskey,
  listPasskeys,
  type PasskeyInfo,
  removePasskey,
} from '../../data/auth.ts'
import { useSession } from '../../data/hooks.ts'
import { ago } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { useConfirmIdentity } from './confirm-identity.tsx'
import { deviceName } from './device-name.ts'

const t = m.security.passkeys

/** Why this page cannot make or use a passkey; null when it can. Undefined until it is in a browser. */
export function usePasskeyWhyNot(): string | null | undefined {
  const { session } = useSession()
  const [here, setHere] = useState<{ name: string; able: boolean }>()
  useEffect(
    () => setHere({ name: window.location.hostname, able: window.PublicKeyCredential !== undefined }),
    [],
  )
  if (!here || !session) return undefined
  if (here.name !== session.passkeyName) return t.otherName(session.passkeyName)
  return here.able ? null : t.notHere
}

export function PasskeysCard() {
  const now = useNow()
  const whyNot = usePasskeyWhyNot()
  const { confirming, dialog } = useConfirmIdentity()
  const { data, refetch } = useQuery({ queryKey: ['auth', 'passkeys'], queryFn: listPasskeys, retry: 1 })
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const [removing, setRemoving] = useState<PasskeyInfo | null>(null)

  async function settle(result: AuthResult, done: string, again: () => void) {
    setBusy(false)
    if (result === 'ok') {
      toast.success(done)
      setRemoving(null)
      await refetch()
    } else if (result === 'confirm') confirming(again)
    else setProblem(result === 'wrong' ? t.failed : m.entry.signIn.unreachable)
  }
  async function add() {
    setBusy(true)
    setProblem(null)
    const device = deviceName(navigator.userAgent) ?? m.settings.account.unknownDevice
    await settle(await addPasskey(t.name(device)), t.added, () => void add())
  }
  async function remove(passkey: PasskeyInfo) {
    setBusy(true)
    await settle(await removePasskey(passkey.id), t.removed, () => void remove(passkey))
  }

  return (
    <Card
      flush
      title={t.title}
      aside={
        <Button size="sm" busy={busy && !removing} whyDisabled={whyNot ?? null} onClick={() => void add()}>
          {t.add}
        </Button>
      }
    >
      <p className="px-5 pt-4 pb-3 text-13 text-ink-2">{t.text}</p>
      {whyNot ? <p className="px-5 pb-3 text-13 text-ink-3">{whyNot}</p> : null}
      {problem ? (
        <p role="alert" className="px-5 pb-3 text-13 text-bad">
          {problem}
        </p>
      ) : null}
      <ul className="divide-y divide-line border-line border-t empty:hidden">
        {data?.map((passkey) => {
          const name = passkey.name ?? t.title
          return (
            <li key={passkey.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
              <KeyRound className="size-4 text-ink-3" aria-hidden="true" />
              <span className="min-w-0 flex-1 basis-48 truncate">{name}</span>
              <span className="text-13 text-ink-3">
                {now && passkey.createdAt ? t.since(ago(passkey.createdAt, now, m.common.justNow)) : ''}
              </span>
              <Button size="sm" aria-label={t.removeLabel(name)} onClick={() => setRemoving(passkey)}>
                {t.remove}
              </Button>
            </li>
          )
        })}
      </ul>
      {removing ? (
        <Confirm
          title={t.removeTitle(removing.name ?? t.title)}
          text={t.removeText}
          action={t.remove}
          cancel={m.common.cancel}
          closeLabel={m.common.close}
          danger
          busy={busy}
          onConfirm={() => void remove(removing)}
          onClose={() => setRemoving(null)}
        />
      ) : null}
      {dialog}
    </Card>
  )
}
