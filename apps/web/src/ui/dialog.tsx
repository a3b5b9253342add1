'use client'
import { lazy, type ReactNode, Suspense, useRef } from 'react'

// No page opens with a dialog: its code is not part of what has to arrive first.
const DialogPopup = lazy(() => import('./dialog-popup.tsx'))

export interface DialogProps {
  open: boolean
  onClose: () => void
  title: string
  description?: ReactNode
  closeLabel: string
  footer?: ReactNode
  wide?: boolean
  /** Gives the focus to what goes on after it; absent: to what had it before. */
  focusAfter?: () => void
  children?: ReactNode
}

/** A question or a small form above the page. On a phone it rises from the foot of the screen. */
export function Dialog(props: DialogProps) {
  const wasOpen = useRef(false)
  if (props.open) wasOpen.current = true
  // Once it was open it stays, so that it can fade when it closes.
  if (!wasOpen.current) return null
  return (
    <Suspense>
      <DialogPopup {...props} />
    </Suspense>
  )
}
