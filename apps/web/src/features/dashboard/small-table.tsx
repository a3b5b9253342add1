'use client'
import Link from 'next/link'
import { cx } from '../../ui/cx.ts'

export interface SmallTableRow {
  readonly key: number
  readonly href: string
  /** What the row is about, and where it leads. */
  readonly name: string
  readonly figures: readonly string[]
}

/** A dashboard card's table: a name that leads somewhere, and figures. */
export function SmallTable({
  columns,
  rows,
  lastWide = false,
}: {
  /** The name's, then the figures'. */
  columns: readonly string[]
  rows: readonly SmallTableRow[]
  /** The last column has no place on a phone. */
  lastWide?: boolean
}) {
  const figure = (index: number, count: number) =>
    cx('whitespace-nowrap px-2 text-right last:pr-5', lastWide && index === count - 1 && 'max-sm:hidden')
  const [first, ...others] = columns
  return (
    <table className="w-full text-left">
      <thead className="border-line border-b text-ink-3 text-xs">
        <tr>
          <th scope="col" className="px-5 py-2 font-medium">
            {first}
          </th>
          {others.map((column, index) => (
            <th key={column} scope="col" className={cx(figure(index, others.length), 'py-2 font-medium')}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {rows.map(({ key, href, name, figures }) => (
          <tr key={key} className="tnum relative text-13 hover:bg-raised/45">
            <td className="w-full max-w-0 truncate px-5 py-2.5">
              <Link href={href} className="font-medium outline-offset-[-2px] after:absolute after:inset-0">
                {name}
              </Link>
            </td>
            {others.map((column, index) => (
              <td key={column} className={cx(figure(index, others.length), 'py-2.5 text-ink-2')}>
                {figures[index]}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
