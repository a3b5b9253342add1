'use client'
import { Tooltip as Base } from '@base-ui/react/tooltip'

export type TooltipSide = 'top' | 'bottom' | 'left' | 'right'

export default function TooltipPopup({
  anchor,
  open,
  onClose,
  text,
  side,
}: {
  anchor: Element
  open: boolean
  onClose: () => void
  text: string
  side: TooltipSide
}) {
  return (
    <Base.Root open={open} onOpenChange={(next) => (next ? undefined : onClose())}>
      <Base.Portal>
        <Base.Positioner anchor={anchor} side={side} sideOffset={7} className="pointer-events-none z-50">
          <Base.Popup className="max-w-72 rounded-md bg-[oklch(0.24_0.01_55)] px-2.5 py-1.5 text-[oklch(0.96_0.006_75)] text-xs leading-4.5 shadow-float ring-1 ring-white/10 transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0">
            {text}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
