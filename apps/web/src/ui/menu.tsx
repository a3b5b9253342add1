'use client'
import {
  type ComponentProps,
  cloneElement,
  lazy,
  type ReactElement,
  type ReactNode,
  type Ref,
  Suspense,
  useRef,
  useState,
} from 'react'
import type * as Parts from './menu-parts.tsx'

// No page opens with a menu: what is in one arrives when somebody is about to open it.
const load = () => import('./menu-parts.tsx')
const MenuPopup = lazy(() => load().then((parts) => ({ default: parts.MenuPopup })))
export const MenuItem = lazy(() => load().then((parts) => ({ default: parts.MenuItem })))
export const MenuLinkItem = lazy(() => load().then((parts) => ({ default: parts.MenuLinkItem })))
export const MenuSeparator = lazy(() => load().then((parts) => ({ default: parts.MenuSeparator })))
export const MenuLabel = lazy(() => load().then((parts) => ({ default: parts.MenuLabel })))
// `lazy` forgets that these two go by the kind of value they are given.
export const MenuChoice = lazy(() =>
  load().then((parts) => ({ default: parts.MenuChoice })),
) as unknown as typeof Parts.MenuChoice
export const MenuChecks = lazy(() =>
  load().then((parts) => ({ default: parts.MenuChecks })),
) as unknown as typeof Parts.MenuChecks

/** A menu on a button. `trigger` is the button itself, with its accessible name. */
export function Menu({
  trigger,
  align = 'end',
  side = 'bottom',
  focusAfter,
  prepare,
  children,
}: {
  trigger: ReactElement<ComponentProps<'button'> & { ref?: Ref<HTMLButtonElement> }>
  align?: 'start' | 'center' | 'end'
  side?: 'top' | 'bottom'
  /** Takes the focus when it closes; absent: the button has it again. */
  focusAfter?: (() => void) | undefined
  /** Fetches what the items need, while somebody is about to open it. */
  prepare?: () => unknown
  children: ReactNode
}) {
  const button = useRef<HTMLButtonElement>(null)
  const [open, setOpen] = useState(false)
  const [used, setUsed] = useState(false)
  function fetchItems() {
    void load()
    prepare?.()
  }
  function show(next: boolean) {
    setUsed(true)
    setOpen(next)
  }
  return (
    <>
      {cloneElement(trigger, {
        ref: button,
        'aria-haspopup': 'menu',
        'aria-expanded': open,
        onPointerEnter: fetchItems,
        onFocus: fetchItems,
        onClick: () => show(!open),
        onKeyDown: (event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
          event.preventDefault()
          show(true)
        },
      })}
      {used ? (
        <Suspense>
          <MenuPopup {...{ anchor: button, open, onOpenChange: setOpen, align, side, focusAfter }}>
            {children}
          </MenuPopup>
        </Suspense>
      ) : null}
    </>
  )
}
