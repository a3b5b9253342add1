'use client'
import {
  cloneElement,
  type HTMLAttributes,
  lazy,
  type ReactElement,
  Suspense,
  type SyntheticEvent,
  useEffect,
  useRef,
  useState,
} from 'react'
import type { TooltipSide } from './tooltip-popup.tsx'

// Arrives when the first one is about to be shown.
const TooltipPopup = lazy(() => import('./tooltip-popup.tsx'))

const delayMs = 250

/** A short text beside a control, on hover and on focus. It adds nothing a screen reader would not hear. */
export function Tooltip({
  text,
  side = 'top',
  children,
}: {
  text: string
  side?: TooltipSide
  children: ReactElement<HTMLAttributes<HTMLElement>>
}) {
  const [anchor, setAnchor] = useState<Element | null>(null)
  const [open, setOpen] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const own = children.props
  function show({ currentTarget }: SyntheticEvent<HTMLElement>, afterMs: number) {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      setAnchor(currentTarget)
      setOpen(true)
    }, afterMs)
  }
  function hide() {
    clearTimeout(timer.current)
    setOpen(false)
  }
  return (
    <>
      {cloneElement(children, {
        onPointerEnter(event) {
          own.onPointerEnter?.(event)
          if (event.pointerType !== 'touch') show(event, delayMs)
        },
        onPointerLeave(event) {
          own.onPointerLeave?.(event)
          hide()
        },
        onPointerDown(event) {
          own.onPointerDown?.(event)
          hide()
        },
        onFocus(event) {
          own.onFocus?.(event)
          // A pressed button has the focus too, and no need of a text.
          if (event.target.matches(':focus-visible')) show(event, 0)
        },
        onBlur(event) {
          own.onBlur?.(event)
          hide()
        },
      })}
      {anchor ? (
        <Suspense>
          <TooltipPopup anchor={anchor} open={open} onClose={hide} text={text} side={side} />
        </Suspense>
      ) : null}
    </>
  )
}
