'use client'
import { ChevronRight } from 'lucide-react'
import { type ReactNode, useEffect, useRef } from 'react'

/**
 * Choices one may leave as they are: a line with what is chosen now, which unfolds. `open` unfolds it from outside, such as
 * when something in it needs attention; folding it again stays the person's.
 */
export function Fold({
  title,
  value,
  open = false,
  children,
}: {
  title: string
  value: ReactNode
  open?: boolean
  children: ReactNode
}) {
  const details = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    if (open && details.current) details.current.open = true
  }, [open])
  return (
    <details ref={details} className="group/fold">
      <summary className="flex list-none items-center gap-3 px-5 py-3.5 outline-offset-[-3px] transition-colors hover:bg-raised/45 sm:px-6 [&::-webkit-details-marker]:hidden">
        <ChevronRight
          className="size-4 shrink-0 text-ink-3 transition-transform group-open/fold:rotate-90"
          aria-hidden="true"
        />
        <span className="shrink-0 font-medium">{title}</span>
        <span className="min-w-0 flex-1 truncate text-right text-13 text-ink-3 group-open/fold:invisible">
          {value}
        </span>
      </summary>
      <div className="px-5 pt-1 pb-6 sm:px-6 sm:pl-13">{children}</div>
    </details>
  )
}
