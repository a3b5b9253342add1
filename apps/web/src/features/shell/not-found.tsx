import Link from 'next/link'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { EmptyState } from '../../ui/layout.tsx'
import { HearthMark } from '../../ui/logo.tsx'

export function NotFound({
  title = m.common.notFound.title,
  text = m.common.notFound.text,
}: {
  title?: string
  text?: string
}) {
  return (
    <div className="grid min-h-[70dvh] place-items-center">
      <EmptyState
        art={<HearthMark lit={false} className="size-14 text-ink-3" />}
        title={title}
        heading="h1"
        action={
          <Link href={paths.home()} className={buttonClass('secondary')}>
            {m.common.notFound.home}
          </Link>
        }
      >
        {text}
      </EmptyState>
    </div>
  )
}
