import { cx } from './cx.ts'

export type ButtonVariant = 'primary' | 'secondary' | 'ghost' | 'danger'
export type ButtonSize = 'sm' | 'md' | 'lg'

const variants: Record<ButtonVariant, string> = {
  primary:
    'bg-ember-solid text-on-ember font-semibold shadow-[inset_0_1px_0_rgb(255_255_255/0.16)] enabled-hover:bg-ember-solid-hover',
  secondary:
    'bg-surface text-ink border border-line-strong shadow-card enabled-hover:bg-raised enabled-hover:border-control',
  ghost: 'text-ink-2 enabled-hover:bg-raised enabled-hover:text-ink',
  danger: 'bg-bad-solid text-on-bad font-semibold enabled-hover:brightness-110',
}
const sizes: Record<ButtonSize, string> = {
  sm: 'h-8 px-2.5 gap-1.5 text-13 [&_svg]:size-3.5',
  md: 'h-9 px-3.5 gap-2 text-sm [&_svg]:size-4',
  lg: 'h-11 px-5 gap-2 text-[0.9375rem] [&_svg]:size-4',
}
export const squareClass: Record<ButtonSize, string> = {
  sm: 'size-8 px-0',
  md: 'size-9 px-0',
  lg: 'size-11 px-0',
}

/** The look of a button, for what must be a link. */
export function buttonClass(
  variant: ButtonVariant = 'secondary',
  size: ButtonSize = 'md',
  extra?: string,
): string {
  return cx(
    'inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-control font-medium transition-colors',
    'aria-disabled:opacity-55 disabled:opacity-55 [&_svg]:shrink-0',
    variants[variant],
    sizes[size],
    extra,
  )
}
