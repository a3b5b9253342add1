'use client'
import { cloneElement, type ReactElement, type ReactNode, useEffect, useRef } from 'react'
import { cx } from './cx.ts'

/**
 * Sections of one thing, each a page with an address of its own, so that a section can be linked, reloaded and gone
 * back to. Hence a navigation with links and not ARIA tabs. `render` carries the link: this layer knows no router.
 *
 *     <Tabs label={t.tabs.label}>
 *       <Tab current={path === href} render={<Link href={href}>{t.tabs.disks}</Link>} count={3} />
 *     </Tabs>
 */
export function Tabs({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav
      aria-label={label}
      className="-mx-4 flex gap-1 overflow-x-auto border-line border-b px-4 [scrollbar-width:none] sm:-mx-6 sm:px-6 md:mx-0 md:px-0"
    >
      {children}
    </nav>
  )
}

export function Tab({
  current,
  count,
  render,
}: {
  current: boolean
  /** A figure beside the word: how many there are. */
  count?: number | undefined
  render: ReactElement<{ className?: string; children?: ReactNode; 'aria-current'?: 'page' | undefined }>
}) {
  const holder = useRef<HTMLSpanElement>(null)
  // On a phone the row is wider than the screen: the open section must not be out of sight.
  useEffect(() => {
    if (current) holder.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [current])
  return (
    <span ref={holder} className="-mb-px flex shrink-0">
      {cloneElement(
        render,
        {
          'aria-current': current ? 'page' : undefined,
          className: cx(
            'flex items-center gap-2 whitespace-nowrap border-b-2 px-3 py-2.5 font-medium text-13 outline-offset-[-3px] transition-colors',
            current ? 'border-ember text-ink' : 'border-transparent text-ink-2 hover:text-ink',
          ),
        },
        render.props.children,
        count === undefined ? null : (
          <span key="count" className="tnum rounded-full bg-quiet-soft px-1.5 text-2xs text-ink-2">
            {count}
          </span>
        ),
      )}
    </span>
  )
}
