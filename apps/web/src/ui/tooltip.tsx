'use client'
import { Tooltip as Base } from '@base-ui/react/tooltip'
import type { ReactElement } from 'react'

/** A short text beside a control, on hover and on focus. It adds nothing a screen reader would not hear. */
export function Tooltip({
  text,
  side = 'top',
  children,
}: {
  text: string
  side?: 'top' | 'bottom' | 'left' | 'right'
  children: ReactElement
}) {
  return (
    <Base.Root>
      <Base.Trigger delay={250} render={children} />
      <Base.Portal>
        <Base.Positioner side={side} sideOffset={7} className="z-50">
          <Base.Popup className="max-w-72 rounded-md bg-[oklch(0.24_0.01_55)] px-2.5 py-1.5 text-[oklch(0.96_0.006_75)] text-xs leading-4.5 shadow-float ring-1 ring-white/10 transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0">
            {text}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

export const TooltipProvider = Base.Provider
