'use client'
import { m } from '../../messages/all.ts'
import { PageHeader } from '../../ui/layout.tsx'
import { PasskeysCard } from './passkeys-card.tsx'
import { PasswordCard } from './password-card.tsx'
import { SessionsCard } from './sessions-card.tsx'
import { TwoFactorCard } from './two-factor-card.tsx'

export function Security() {
  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={m.security.title} description={m.security.description} />
      <PasskeysCard />
      <TwoFactorCard />
      <PasswordCard />
      <SessionsCard />
    </div>
  )
}
