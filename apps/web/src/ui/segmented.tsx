'use client'
import { useId } from 'react'
import { cx } from './cx.ts'

/** One of a few, all in sight: a range of time, a kind of view. Arrow keys move, as in any radio group. */
export function Segmented<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string
  value: Value
  options: readonly { value: Value; label: string }[]
  onChange: (value: Value) => void
}) {
  const name = useId()
  return (
    <div
      role="radiogroup"
      aria-label={label}
      className="inline-flex max-w-full overflow-x-auto rounded-control border border-line bg-sunken p-0.5 [scrollbar-width:none]"
    >
      {options.map((option) => (
        <label
          key={option.value}
          className={cx(
            'relative flex h-7 items-center whitespace-nowrap rounded-[5px] px-2.5 font-medium text-13 transition-colors',
            'has-focus-visible:outline-2 has-focus-visible:outline-ember',
            option.value === value
              ? 'bg-surface text-ink shadow-card ring-1 ring-line'
              : 'text-ink-2 hover:text-ink',
          )}
        >
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
            className="absolute inset-0 cursor-pointer opacity-0"
          />
          {option.label}
        </label>
      ))}
    </div>
  )
}
