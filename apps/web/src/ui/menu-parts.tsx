'use client'
import { Menu as Base } from '@base-ui/react/menu'
import { Check } from 'lucide-react'
import type { ReactElement, ReactNode, RefObject } from 'react'
import { cx } from './cx.ts'

/** What opens; `anchor` is the button it belongs to and, without `focusAfter`, gives the focus back to. */
export function MenuPopup({
  anchor,
  open,
  onOpenChange,
  align,
  side,
  focusAfter,
  children,
}: {
  anchor: RefObject<HTMLElement | null>
  open: boolean
  onOpenChange: (open: boolean) => void
  align: 'start' | 'center' | 'end'
  side: 'top' | 'bottom'
  focusAfter?: (() => void) | undefined
  children: ReactNode
}) {
  return (
    <Base.Root
      open={open}
      onOpenChange={(next, { event }) => {
        // A press on the button itself is answered by the button.
        if (event.target instanceof Node && anchor.current?.contains(event.target)) return
        onOpenChange(next)
      }}
    >
      <Base.Portal>
        <Base.Positioner
          anchor={anchor}
          align={align}
          side={side}
          sideOffset={6}
          className="z-50 outline-none"
        >
          <Base.Popup
            finalFocus={() => {
              if (focusAfter === undefined) return anchor.current
              focusAfter()
              return false
            }}
            className="min-w-52 max-w-80 origin-(--transform-origin) rounded-[10px] border border-line bg-overlay p-1 shadow-float outline-none transition-[opacity,scale] duration-100 data-ending-style:scale-98 data-starting-style:scale-98 data-ending-style:opacity-0 data-starting-style:opacity-0"
          >
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

const itemClass =
  'flex w-full items-start gap-2.5 rounded-md px-2.5 py-1.75 text-left outline-none data-highlighted:bg-raised data-disabled:text-ink-3!'

export function MenuItem({
  icon,
  danger = false,
  whyDisabled,
  off = false,
  onSelect,
  children,
}: {
  icon?: ReactNode
  danger?: boolean
  whyDisabled?: string | null | undefined
  /** Cannot be used, for a reason that stands beside the items already. */
  off?: boolean
  onSelect: () => void
  children: ReactNode
}) {
  return (
    <Base.Item
      className={cx(itemClass, danger && !whyDisabled ? 'text-bad' : 'text-ink')}
      disabled={off || Boolean(whyDisabled)}
      onClick={onSelect}
    >
      {icon ? <span className="mt-[3px] [&_svg]:size-4">{icon}</span> : null}
      <span className="min-w-0 flex-1">
        {children}
        {whyDisabled ? <span className="block text-ink-3 text-xs leading-4.5">{whyDisabled}</span> : null}
      </span>
    </Base.Item>
  )
}

/** An item that is a link: `render` carries the link element, so this layer needs no router. */
export function MenuLinkItem({
  icon,
  render,
  children,
}: {
  icon?: ReactNode
  render: ReactElement
  children: ReactNode
}) {
  return (
    <Base.LinkItem className={cx(itemClass, 'text-ink')} render={render} closeOnClick>
      {icon ? <span className="mt-[3px] [&_svg]:size-4">{icon}</span> : null}
      <span className="min-w-0 flex-1">{children}</span>
    </Base.LinkItem>
  )
}

export function MenuSeparator() {
  return <Base.Separator className="mx-1 my-1 h-px bg-line" />
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <div className="px-2.5 pt-1.5 pb-1 text-ink-3 text-xs">{children}</div>
}

/** One choice of several, with a mark at the chosen one. */
export function MenuChoice<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string
  value: Value
  options: readonly { value: Value; label: string; icon?: ReactNode }[]
  onChange: (value: Value) => void
}) {
  return (
    <Base.RadioGroup value={value} onValueChange={(next: Value) => onChange(next)} aria-label={label}>
      {options.map((option) => (
        <Base.RadioItem
          key={option.value}
          value={option.value}
          closeOnClick={false}
          className={cx(itemClass, 'items-center text-ink data-checked:font-medium')}
        >
          {option.icon ? <span className="[&_svg]:size-4">{option.icon}</span> : null}
          <span className="flex-1">{option.label}</span>
          <Base.RadioItemIndicator className="size-1.5 rounded-full bg-ember" />
        </Base.RadioItem>
      ))}
    </Base.RadioGroup>
  )
}

/** Some of several, each with a tick; the menu stays open. */
export function MenuChecks<Value extends string>({
  label,
  values,
  options,
  onChange,
}: {
  label: string
  values: readonly Value[]
  options: readonly { value: Value; label: ReactNode; disabled?: boolean }[]
  onChange: (values: Value[]) => void
}) {
  return (
    <Base.Group aria-label={label}>
      {options.map((option) => (
        <Base.CheckboxItem
          key={option.value}
          checked={values.includes(option.value)}
          disabled={option.disabled ?? false}
          closeOnClick={false}
          onCheckedChange={(checked) =>
            onChange(checked ? [...values, option.value] : values.filter((each) => each !== option.value))
          }
          className={cx(itemClass, 'items-center text-ink')}
        >
          <span className="flex size-4 shrink-0 items-center justify-center rounded border border-control">
            <Base.CheckboxItemIndicator className="flex size-full items-center justify-center rounded-[3px] bg-ember-solid text-on-ember">
              <Check className="size-3" strokeWidth={3} aria-hidden="true" />
            </Base.CheckboxItemIndicator>
          </span>
          <span className="min-w-0 flex-1 truncate">{option.label}</span>
        </Base.CheckboxItem>
      ))}
    </Base.Group>
  )
}
