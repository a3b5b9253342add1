'use client'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import type { ReactNode } from 'react'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Tab, Tabs } from '../../ui/tabs.tsx'

const sections = () => [
  { href: paths.account(), label: m.common.nav.account },
  { href: paths.security(), label: m.common.nav.security },
  { href: paths.sshKeys(), label: m.common.nav.sshKeys },
  { href: paths.tokens(), label: m.common.nav.tokens },
]

export function SettingsFrame({ children }: { children: ReactNode }) {
  const path = usePathname()
  return (
    <div className="flex max-w-4xl flex-col gap-6">
      <Tabs label={m.settings.nav}>
        {sections().map((section) => (
          <Tab
            key={section.href}
            current={path === section.href}
            render={<Link href={section.href}>{section.label}</Link>}
          />
        ))}
      </Tabs>
      {children}
    </div>
  )
}
