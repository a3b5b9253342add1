'use client'
import { Eye, EyeOff } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { createContext, use, useId, useState } from 'react'
import { controlClass } from './control-class.ts'
import { cx } from './cx.ts'

interface FieldIds {
  control: string
  hint: string
  error: string
  invalid: boolean
  hinted: boolean
}
const FieldContext = createContext<FieldIds | null>(null)

/** A label, its control, a hint and, when something is wrong, what is wrong; tied together for all readers. */
export function Field({
  label,
  hint,
  error,
  aside,
  labelHidden = false,
  className,
  children,
}: {
  label: ReactNode
  hint?: ReactNode
  error?: string | null | undefined
  aside?: ReactNode
  /** For a field whose heading is its label already; readers still hear it. */
  labelHidden?: boolean
  className?: string
  children: ReactNode
}) {
  const id = useId()
  const ids = {
    control: id,
    hint: `${id}-hint`,
    error: `${id}-error`,
    invalid: Boolean(error),
    hinted: Boolean(hint),
  }
  return (
    <FieldContext value={ids}>
      <div className={cx('flex min-w-0 flex-col gap-1.5', className)}>
        <div className={labelHidden ? 'sr-only' : 'flex items-baseline justify-between gap-3'}>
          <label htmlFor={id} className="font-medium text-13 text-ink">
            {label}
          </label>
          {aside}
        </div>
        {children}
        {error ? (
          <p id={ids.error} role="alert" className="text-13 text-bad">
            {error}
          </p>
        ) : null}
        {hint && !error ? (
          <p id={ids.hint} className="text-13 text-ink-3">
            {hint}
          </p>
        ) : null}
      </div>
    </FieldContext>
  )
}

function useControlProps() {
  const ids = use(FieldContext)
  if (!ids) return {}
  return {
    id: ids.control,
    'aria-invalid': ids.invalid || undefined,
    'aria-describedby': ids.invalid ? ids.error : ids.hinted ? ids.hint : undefined,
  } as const
}

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input {...useControlProps()} className={cx(controlClass, 'h-9.5', className)} {...rest} />
}

/** For what counts letter by letter: a name, a path, a key. Nothing corrects it. */
export function CodeInput({ className, ...rest }: ComponentProps<'input'>) {
  return (
    <Input
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      className={cx('font-mono', className)}
      {...rest}
    />
  )
}

export function Textarea({ className, ...rest }: ComponentProps<'textarea'>) {
  return (
    <textarea {...useControlProps()} className={cx(controlClass, 'py-2 leading-5.5', className)} {...rest} />
  )
}

/** The browser's own list: the best one on a phone and from the keyboard. */
export function Select({ className, children, ...rest }: ComponentProps<'select'>) {
  return (
    <select {...useControlProps()} className={cx(controlClass, 'h-9.5 pr-8', className)} {...rest}>
      {children}
    </select>
  )
}

/** A number or a word with its unit written inside the box. */
export function InputWithUnit({ unit, className, ...rest }: ComponentProps<'input'> & { unit: string }) {
  return (
    <span className="relative block">
      <Input className={cx('tnum pr-14', className)} {...rest} />
      <span
        aria-hidden="true"
        className="pointer-events-none absolute inset-y-0 right-3 flex items-center text-13 text-ink-3"
      >
        {unit}
      </span>
    </span>
  )
}

export function PasswordInput({
  showLabel,
  hideLabel,
  shown: shownFromOutside,
  onShownChange,
  className,
  ...rest
}: Omit<ComponentProps<'input'>, 'type'> & {
  showLabel: string
  hideLabel: string
  shown?: boolean
  onShownChange?: (shown: boolean) => void
}) {
  const [shownHere, setShownHere] = useState(false)
  const shown = shownFromOutside ?? shownHere
  const toggle = () => {
    setShownHere(!shown)
    onShownChange?.(!shown)
  }
  return (
    <span className="relative block">
      <Input
        type={shown ? 'text' : 'password'}
        className={cx('pr-11', shown && 'font-mono', className)}
        {...rest}
      />
      <button
        type="button"
        aria-label={shown ? hideLabel : showLabel}
        aria-pressed={shown}
        onClick={toggle}
        className="absolute inset-y-0 right-0 flex w-10 items-center justify-center rounded-control text-ink-3 hover:text-ink focus-visible:outline-offset-[-3px]"
      >
        {shown ? <EyeOff className="size-4" /> : <Eye className="size-4" />}
      </button>
    </span>
  )
}

export function Checkbox({
  label,
  hint,
  ...rest
}: Omit<ComponentProps<'input'>, 'type'> & { label: ReactNode; hint?: ReactNode }) {
  return (
    <label className="flex items-start gap-2.5">
      <input type="checkbox" className="mt-0.75 size-4 shrink-0 rounded" {...rest} />
      <span className="min-w-0">
        <span className="text-sm">{label}</span>
        {hint ? <span className="block text-13 text-ink-3">{hint}</span> : null}
      </span>
    </label>
  )
}
