'use client'
import { ChevronRight } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { cx } from '../../ui/cx.ts'

/** Unfolds; what is in it is made when it is opened, for pages that have hundreds of them. */
export function LazyDetails({
  id,
  summary,
  className,
  onOpen,
  children,
}: {
  id?: string
  summary: ReactNode
  className?: string
  onOpen?: () => void
  children: () => ReactNode
}) {
  const [open, setOpen] = useState(false)
  return (
    <details
      id={id}
      // Below the bar that a phone's page has on top.
      className="scroll-mt-20"
      onToggle={(event) => {
        // Of those inside it this one hears as well.
        if (event.target !== event.currentTarget) return
        setOpen(event.currentTarget.open)
        if (event.currentTarget.open) onOpen?.()
      }}
    >
      <summary
        className={cx(
          'flex cursor-pointer list-none items-center gap-2.5 [&::-webkit-details-marker]:hidden',
          className,
        )}
      >
        <ChevronRight
          className={cx('size-4 shrink-0 text-ink-3 transition-transform', open && 'rotate-90')}
          aria-hidden="true"
        />
        {summary}
      </summary>
      {open ? children() : null}
    </details>
  )
}
