'use client'
import { Switch as Base } from '@base-ui/react/switch'

export function Switch({
  checked,
  onChange,
  label,
  disabled = false,
}: {
  checked: boolean
  onChange: (checked: boolean) => void
  label: string
  disabled?: boolean
}) {
  return (
    <Base.Root
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      aria-label={label}
      className="inline-flex h-5.5 w-9.5 shrink-0 items-center rounded-full border border-control bg-raised p-[2px] transition-colors data-checked:border-ember-solid data-checked:bg-ember-solid data-disabled:opacity-55"
    >
      <Base.Thumb className="size-4 rounded-full bg-ink-3 transition-transform data-checked:translate-x-4 data-checked:bg-on-ember" />
    </Base.Root>
  )
}
