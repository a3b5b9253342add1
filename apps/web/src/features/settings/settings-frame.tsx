'use client'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import type { ReactNode } from 'react'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { cx } from '../../ui/cx.ts'

const sections = [
  { href: paths.account(), label: m.common.nav.account },
  { href: paths.sshKeys(), label: m.common.nav.sshKeys },
  { href: paths.tokens(), label: m.common.nav.tokens },
]

export function SettingsFrame({ children }: { children: ReactNode }) {
  const path = usePathname()
  return (
    <div className="flex max-w-4xl flex-col gap-6">
      <nav aria-label={m.settings.nav} className="flex gap-1 overflow-x-auto border-line border-b">
        {sections.map((section) => (
          <Link
            key={section.href}
            href={section.href}
            aria-current={path === section.href ? 'page' : undefined}
            className={cx(
              '-mb-px whitespace-nowrap border-b-2 px-3 py-2.5 font-medium text-13 outline-offset-[-3px] transition-colors',
              path === section.href
                ? 'border-ember text-ink'
                : 'border-transparent text-ink-2 hover:text-ink',
            )}
          >
            {section.label}
          </Link>
        ))}
      </nav>
      {children}
    </div>
  )
}
