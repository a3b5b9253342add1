import type { ReactNode } from 'react'
import { cx } from './cx.ts'

export function PageHeader({
  title,
  description,
  actions,
}: {
  title: ReactNode
  description?: ReactNode
  actions?: ReactNode
}) {
  return (
    <header className="flex min-h-9 flex-wrap items-center justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="font-semibold text-[1.375rem] leading-8 tracking-[-0.018em]">{title}</h1>
        {description ? <p className="mt-0.5 max-w-[68ch] text-ink-2">{description}</p> : null}
      </div>
      {actions ? <div className="flex items-center gap-2">{actions}</div> : null}
    </header>
  )
}

export function Card({
  title,
  aside,
  flush = false,
  className,
  children,
}: {
  title?: ReactNode
  aside?: ReactNode
  flush?: boolean
  className?: string
  children: ReactNode
}) {
  return (
    <section className={cx('card min-w-0', className)}>
      {title ? (
        <div className="flex min-h-12 items-center justify-between gap-3 border-line border-b px-5 py-2">
          <h2 className="font-semibold text-sm">{title}</h2>
          {aside}
        </div>
      ) : null}
      <div className={flush ? '' : 'p-5'}>{children}</div>
    </section>
  )
}

/** Names and values, one a line; on a phone the value goes below its name. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="divide-y divide-line">{children}</dl>
}
export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-1 gap-x-4 gap-y-0.5 px-5 py-3 sm:grid-cols-[9.5rem_1fr] sm:items-center">
      <dt className="text-13 text-ink-3">{label}</dt>
      <dd className="tnum min-w-0 break-words">{children}</dd>
    </div>
  )
}

export function EmptyState({
  art,
  title,
  heading: Heading = 'h2',
  children,
  action,
}: {
  art?: ReactNode
  title: string
  /** `h1` where it is all there is on the page. */
  heading?: 'h1' | 'h2'
  children?: ReactNode
  action?: ReactNode
}) {
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      {art}
      <Heading className="mt-5 font-semibold text-lg tracking-[-0.01em] first:mt-0">{title}</Heading>
      {children ? <div className="mt-1.5 max-w-[46ch] text-ink-2">{children}</div> : null}
      {action ? <div className="mt-6">{action}</div> : null}
    </div>
  )
}

export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden="true" className={cx('skeleton block', className)} />
}

export function Notice({
  tone,
  title,
  children,
  action,
}: {
  tone: 'bad' | 'warn' | 'info'
  title: ReactNode
  children?: ReactNode
  action?: ReactNode
}) {
  const tones = {
    bad: 'bg-bad-soft [&_[data-title]]:text-bad',
    warn: 'bg-warn-soft [&_[data-title]]:text-warn',
    info: 'bg-ember-soft [&_[data-title]]:text-ember',
  }
  return (
    <div
      role={tone === 'bad' ? 'alert' : 'status'}
      className={cx('flex flex-wrap items-start gap-x-4 gap-y-2 rounded-card px-4 py-3', tones[tone])}
    >
      <div className="min-w-0 flex-1 basis-64">
        <p data-title="" className="font-medium">
          {title}
        </p>
        {children ? <div className="mt-0.5 break-words text-13 text-ink-2">{children}</div> : null}
      </div>
      {action}
    </div>
  )
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="rounded-[5px] border border-line-strong bg-raised px-1.5 py-px font-mono text-2xs text-ink-2">
      {children}
    </kbd>
  )
}
