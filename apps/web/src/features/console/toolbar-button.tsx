'use client'
import type { ComponentProps } from 'react'
import { buttonClass } from '../../ui/button-class.ts'
import { cx } from '../../ui/cx.ts'

/** The square of a console's toolbar, for what is no plain button: a link that looks like one. */
export const toolbarSquare = (...classes: (string | undefined)[]): string =>
  buttonClass('ghost', 'sm', cx('size-8 px-0 [&_svg]:size-4', ...classes))

/** A square that opens a menu: `label` is its name; the menu gives it the rest. */
export function MenuSquare({
  label,
  className,
  ...rest
}: { label: string } & Omit<ComponentProps<'button'>, 'type' | 'aria-label'>) {
  return <button type="button" aria-label={label} className={toolbarSquare(className)} {...rest} />
}
