'use client'
import { useState } from 'react'
import { endTwoFactor, newRecoveryCodes } from '../../data/auth.ts'
import { useSession } from '../../data/hooks.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { PasswordDialog } from './password-dialog.tsx'
import { RecoveryCodesDialog, TwoFactorSetupDialog } from './two-factor-setup.tsx'

const t = m.security.codes

export function TwoFactorCard() {
  const { session } = useSession()
  const [open, setOpen] = useState<'setup' | 'off' | 'renew' | null>(null)
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const on = session?.user?.twoFactor ?? false
  const close = () => setOpen(null)
  return (
    <Card
      title={
        <span className="flex items-center gap-2.5">
          {t.title}
          {session ? <Badge tone={on ? 'ok' : 'quiet'}>{on ? t.on : t.off}</Badge> : null}
        </span>
      }
    >
      <p className="text-13 text-ink-2">{t.text}</p>
      <div className="mt-4 flex flex-wrap gap-2">
        {on ? (
          <>
            <Button onClick={() => setOpen('renew')}>{t.renew}</Button>
            <Button onClick={() => setOpen('off')}>{t.turnOff}</Button>
          </>
        ) : (
          <Button onClick={() => setOpen('setup')}>{t.turnOn}</Button>
        )}
      </div>
      {open === 'setup' ? <TwoFactorSetupDialog onClose={close} /> : null}
      {open === 'off' ? (
        <PasswordDialog
          title={t.offTitle}
          text={t.offText}
          action={t.turnOff}
          danger
          onClose={close}
          onPassword={async (password) => {
            const result = await endTwoFactor(password)
            if (result === 'ok') toast.success(t.turnedOff)
            return result
          }}
        />
      ) : null}
      {open === 'renew' ? (
        <PasswordDialog
          title={t.renewTitle}
          text={t.renewText}
          action={t.renew}
          onClose={close}
          onPassword={async (password) => {
            const made = await newRecoveryCodes(password)
            if (typeof made === 'string') return made
            setCodes(made)
            return 'ok'
          }}
        />
      ) : null}
      {codes ? <RecoveryCodesDialog codes={codes} onClose={() => setCodes(null)} /> : null}
    </Card>
  )
}
