'use client'
import { Search } from 'lucide-react'
import { useRef } from 'react'
import { useKeys } from '../lib/keys.ts'
import { controlClass } from './control-class.ts'
import { cx } from './cx.ts'

/** Narrows the list below it; the key `/` leads here. */
export function SearchField({
  label,
  placeholder = label,
  value,
  onChange,
  className,
}: {
  label: string
  placeholder?: string
  value: string
  onChange: (value: string) => void
  className?: string
}) {
  const field = useRef<HTMLInputElement>(null)
  useKeys({ '/': () => field.current?.focus() })
  return (
    <label className={cx('relative block min-w-52 flex-1 sm:max-w-80', className)}>
      <span className="sr-only">{label}</span>
      <Search
        className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-3"
        aria-hidden="true"
      />
      <input
        ref={field}
        type="search"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        placeholder={placeholder}
        className={`${controlClass} h-9 pl-9`}
      />
    </label>
  )
}
