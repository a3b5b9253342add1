'use client'
import { ChevronDown, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { buttonClass } from './button-class.ts'
import { cx } from './cx.ts'
import { Menu, MenuChecks } from './menu.tsx'

/** A filter of a list: what may be chosen, behind a button that says what is. */
export function Filter<Value extends string>({
  label,
  values,
  options,
  onChange,
}: {
  label: string
  values: readonly Value[]
  options: readonly { value: Value; label: string; count?: number }[]
  onChange: (values: Value[]) => void
}) {
  const chosen = options.filter((option) => values.includes(option.value)).map((option) => option.label)
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          className={buttonClass(
            'secondary',
            'md',
            cx('max-w-64 px-3 text-13!', chosen.length > 0 && 'border-ember-line! bg-ember-soft!'),
          )}
        >
          <span className="truncate">
            <span className={chosen.length > 0 ? 'text-ink-2' : ''}>{label}</span>
            {chosen.length > 0 ? <span className="font-semibold">: {chosen.join(', ')}</span> : null}
          </span>
          <ChevronDown className="size-3.5! text-ink-3" aria-hidden="true" />
        </button>
      }
    >
      <MenuChecks
        label={label}
        values={values}
        options={options.map(({ value, label: text, count }) => ({
          value,
          label: (
            <span className="flex justify-between gap-4">
              <span className="truncate">{text}</span>
              {count === undefined ? null : <span className="tnum text-ink-3">{count}</span>}
            </span>
          ),
        }))}
        onChange={onChange}
      />
    </Menu>
  )
}

/** Takes all filters away; beside them, when there are any. */
export function ClearFilters({ label, onClear }: { label: string; onClear: () => void }): ReactNode {
  return (
    <button type="button" onClick={onClear} className={buttonClass('ghost', 'md', 'px-2.5 text-13!')}>
      <X className="size-3.5!" aria-hidden="true" />
      {label}
    </button>
  )
}
