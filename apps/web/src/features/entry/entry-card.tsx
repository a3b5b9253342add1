import type { ReactNode } from 'react'
import { cx } from '../../ui/cx.ts'

export function EntryCard({
  title,
  intro,
  wide = false,
  children,
}: {
  title: string
  intro?: ReactNode
  wide?: boolean
  children?: ReactNode
}) {
  return (
    <section className={cx('card w-full p-6 shadow-float! sm:p-8', wide ? 'max-w-lg' : 'max-w-[25.5rem]')}>
      <h1 className="font-semibold text-xl tracking-[-0.018em]">{title}</h1>
      {intro ? <p className="mt-1 text-ink-2">{intro}</p> : null}
      {children ? <div className="mt-6">{children}</div> : null}
    </section>
  )
}
