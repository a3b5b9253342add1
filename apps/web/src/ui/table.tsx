'use client'
import { ArrowDown, ArrowUp } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { cx } from './cx.ts'

/**
 * A table on a card. Below `lg` show cards or a list instead where a row has more than three cells; a narrow one may
 * scroll sideways, which this does by itself.
 *
 *     <Table label={t.title} head={<><Th>{t.name}</Th><Th align="end">{t.size}</Th></>}>
 *       {disks.map((disk) => <Tr key={disk.id}><Td>{disk.name}</Td><Td align="end">…</Td></Tr>)}
 *     </Table>
 */
export function Table({
  label,
  head,
  className,
  children,
}: {
  label: string
  head: ReactNode
  className?: string
  children: ReactNode
}) {
  return (
    <div className={cx('card overflow-x-auto', className)}>
      <table className="w-full border-collapse text-left" aria-label={label}>
        <thead className="border-line border-b bg-sunken text-ink-3 text-xs">
          <tr>{head}</tr>
        </thead>
        <tbody className="divide-y divide-line">{children}</tbody>
      </table>
    </div>
  )
}

export type Sorted = 'ascending' | 'descending' | null

/** A column's heading; with `onSort` a button that sorts by it, and says so. */
export function Th({
  sorted,
  onSort,
  align = 'start',
  hidden = false,
  className,
  children,
  ...rest
}: Omit<ComponentProps<'th'>, 'align' | 'hidden'> & {
  sorted?: Sorted
  onSort?: (() => void) | undefined
  align?: 'start' | 'end'
  /** For readers only, such as above a column of menus. */
  hidden?: boolean
}) {
  const Arrow = sorted === 'descending' ? ArrowDown : ArrowUp
  return (
    <th
      scope="col"
      aria-sort={onSort ? (sorted ?? 'none') : undefined}
      className={cx(
        'whitespace-nowrap px-3 py-2.5 font-medium first:pl-5 last:pr-5',
        align === 'end' && 'text-right',
        className,
      )}
      {...rest}
    >
      {onSort ? (
        <button
          type="button"
          onClick={onSort}
          className={cx(
            'group/sort -mx-1 -my-0.5 inline-flex items-center gap-1 rounded px-1 py-0.5 font-medium hover:text-ink',
            sorted && 'text-ink',
          )}
        >
          {children}
          <Arrow
            aria-hidden="true"
            className={cx('size-3', sorted ? 'text-ember' : 'opacity-0 group-hover/sort:opacity-60')}
          />
        </button>
      ) : hidden ? (
        <span className="sr-only">{children}</span>
      ) : (
        children
      )}
    </th>
  )
}

/** A row. With a link whose class has `after:absolute after:inset-0` in a cell, the whole row is that link. */
export function Tr({ selected = false, className, ...rest }: ComponentProps<'tr'> & { selected?: boolean }) {
  return (
    <tr
      className={cx(
        'group relative transition-colors',
        selected ? 'bg-ember-soft/45' : 'hover:bg-raised/45',
        className,
      )}
      {...rest}
    />
  )
}

export function Td({
  align = 'start',
  className,
  ...rest
}: Omit<ComponentProps<'td'>, 'align'> & { align?: 'start' | 'end' }) {
  return (
    <td
      className={cx(
        'tnum px-3 py-2.5 first:pl-5 last:pr-5',
        align === 'end' && 'whitespace-nowrap text-right',
        className,
      )}
      {...rest}
    />
  )
}
