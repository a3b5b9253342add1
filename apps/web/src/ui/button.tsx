'use client'
import type { ComponentProps, ReactNode } from 'react'
import { useId } from 'react'
import { type ButtonSize, type ButtonVariant, buttonClass, squareClass } from './button-class.ts'
import { cx } from './cx.ts'
import { Tooltip } from './tooltip.tsx'

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  variant?: ButtonVariant
  size?: ButtonSize
  icon?: ReactNode
  /** Work is under way: the button keeps its place and its width, and takes no second press. */
  busy?: boolean
  /**
   * Why it cannot be used now. The button stays visible and focusable, does nothing, and says this on hover,
   * on focus and to screen readers; hence aria-disabled and not `disabled`, which would hide the reason.
   */
  whyDisabled?: string | null | undefined
}

export function Button({
  variant,
  size,
  icon,
  busy = false,
  whyDisabled,
  className,
  children,
  onClick,
  type = 'button',
  ...rest
}: ButtonProps) {
  const whyId = useId()
  const off = busy || Boolean(whyDisabled)
  const button = (
    <button
      type={type}
      className={buttonClass(variant, size, className)}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      aria-describedby={whyDisabled ? whyId : undefined}
      onClick={off ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {busy ? <BusyDots /> : icon}
      {children}
    </button>
  )
  if (!whyDisabled) return button
  return (
    <>
      <Tooltip text={whyDisabled}>{button}</Tooltip>
      <span id={whyId} hidden>
        {whyDisabled}
      </span>
    </>
  )
}

export interface IconButtonProps extends Omit<ButtonProps, 'icon' | 'children'> {
  /** What it does; its accessible name and its tooltip. */
  label: string
  children: ReactNode
}

export function IconButton({
  label,
  variant = 'ghost',
  size = 'sm',
  whyDisabled,
  busy = false,
  className,
  children,
  onClick,
  type = 'button',
  ...rest
}: IconButtonProps) {
  const off = busy || Boolean(whyDisabled)
  return (
    <Tooltip text={whyDisabled ? `${label}: ${whyDisabled}` : label}>
      <button
        type={type}
        aria-label={label}
        aria-disabled={off || undefined}
        aria-busy={busy || undefined}
        className={buttonClass(variant, size, cx(squareClass[size], '[&_svg]:size-4', className))}
        onClick={off ? (event) => event.preventDefault() : onClick}
        {...rest}
      >
        {children}
      </button>
    </Tooltip>
  )
}

/** Three embers; shown in place of the icon, so nothing shifts. */
export function BusyDots() {
  return (
    <span aria-hidden="true" className="inline-flex w-4 justify-center gap-[3px]">
      {[0, 1, 2].map((dot) => (
        <span
          key={dot}
          className="size-[3px] animate-ember rounded-full bg-current"
          style={{ animationDelay: `${dot * 220}ms`, animationDuration: '1.2s' }}
        />
      ))}
    </span>
  )
}
