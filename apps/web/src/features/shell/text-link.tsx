import Link from 'next/link'
import type { ReactNode } from 'react'

/** A link within or behind a sentence. */
export function TextLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Link href={href} className="font-medium text-ember underline underline-offset-2">
      {children}
    </Link>
  )
}
