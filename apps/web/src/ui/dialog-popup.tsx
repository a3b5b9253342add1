'use client'
import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { buttonClass } from './button-class.ts'
import { cx } from './cx.ts'
import type { DialogProps } from './dialog.tsx'

/** The dialog itself, fetched when the first one opens; see dialog.tsx. */
export default function DialogPopup({
  open,
  onClose,
  title,
  description,
  closeLabel,
  footer,
  wide = false,
  focusAfter,
  children,
}: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => (next ? undefined : onClose())}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-scrim transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Base.Viewport className="fixed inset-0 z-40 grid place-items-end overflow-y-auto sm:place-items-center sm:p-6">
          <Base.Popup
            finalFocus={
              focusAfter &&
              (() => {
                focusAfter()
                return false
              })
            }
            className={cx(
              'relative w-full rounded-t-2xl border border-line bg-overlay shadow-float outline-none transition-[opacity,translate] duration-130 data-ending-style:translate-y-2 data-starting-style:translate-y-2 data-ending-style:opacity-0 data-starting-style:opacity-0 sm:rounded-card',
              wide ? 'sm:max-w-2xl' : 'sm:max-w-md',
            )}
          >
            <div className="px-5 pt-5 pb-5 sm:px-6">
              <div className="flex items-start justify-between gap-4">
                <Base.Title className="font-semibold text-base text-ink">{title}</Base.Title>
                <Base.Close
                  aria-label={closeLabel}
                  className={buttonClass('ghost', 'sm', '-mt-1 -mr-2 size-8 px-0')}
                >
                  <X />
                </Base.Close>
              </div>
              {description ? (
                <Base.Description className="mt-1.5 text-ink-2" render={<div />}>
                  {description}
                </Base.Description>
              ) : null}
              {children ? <div className="mt-4">{children}</div> : null}
            </div>
            {footer ? (
              <div className="flex flex-wrap justify-end gap-2 rounded-b-card border-line border-t bg-sunken px-5 py-3.5 sm:px-6">
                {footer}
              </div>
            ) : null}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  )
}
