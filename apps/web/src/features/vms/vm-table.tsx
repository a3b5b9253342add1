'use client'
import { useRef } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { Table, Th } from '../../ui/table.tsx'
import { type Column, type ListView, plainView } from './list-view.ts'
import { shownColumns } from './vm-columns.ts'
import { VmCard, VmRow } from './vm-row.tsx'

/** The list: a table where there is room, cards where there is not. Both select and sort alike. */
export function VmTable({
  vms,
  view,
  onView,
  selected,
  onSelected,
}: {
  vms: readonly VmView[]
  view: ListView
  onView: (change: Partial<ListView>) => void
  selected: ReadonlySet<number>
  onSelected: (selected: ReadonlySet<number>) => void
}) {
  const columns = shownColumns.use()
  const last = useRef<number | null>(null)
  const chosen = vms.filter((vm) => selected.has(vm.id)).length
  const all = chosen === vms.length

  function sortBy(column: Column) {
    // A third press leads back to the plain order.
    if (view.sort !== column) onView({ sort: column, descending: false })
    else if (!view.descending) onView({ descending: true })
    else onView({ sort: plainView.sort, descending: false })
  }
  /** With Shift everything from the last one on takes the same state, as in any list of files. */
  function select(vm: VmView, on: boolean, range: boolean) {
    const next = new Set(selected)
    const from = range ? vms.findIndex(({ id }) => id === last.current) : -1
    const to = vms.indexOf(vm)
    const these = from < 0 ? [vm] : vms.slice(Math.min(from, to), Math.max(from, to) + 1)
    for (const { id } of these) {
      if (on) next.add(id)
      else next.delete(id)
    }
    last.current = vm.id
    onSelected(next)
  }
  const row = (vm: VmView) => ({
    vm,
    columns,
    selected: selected.has(vm.id),
    onSelect: (on: boolean, range: boolean) => select(vm, on, range),
  })
  return (
    <>
      <Table
        label={m.vms.title}
        className="hidden lg:block"
        head={
          <>
            <th scope="col" className="w-11 pl-5">
              <input
                type="checkbox"
                aria-label={m.vms.selectAll}
                checked={all}
                ref={(box) => {
                  if (box) box.indeterminate = chosen > 0 && !all
                }}
                onChange={() => onSelected(all ? new Set() : new Set(vms.map((vm) => vm.id)))}
                className="size-4 align-middle"
              />
            </th>
            {columns.map((column) => (
              <Th
                key={column}
                sorted={view.sort === column ? (view.descending ? 'descending' : 'ascending') : null}
                onSort={() => sortBy(column)}
                className={column === 'name' ? 'pl-2!' : ''}
              >
                {m.vms.columns[column]}
              </Th>
            ))}
            <Th hidden className="w-14">
              {m.vms.columns.actions}
            </Th>
          </>
        }
      >
        {vms.map((vm) => (
          <VmRow key={vm.id} {...row(vm)} />
        ))}
      </Table>
      <ul className="grid grid-cols-1 gap-3 sm:grid-cols-2 lg:hidden">
        {vms.map((vm) => (
          <VmCard key={vm.id} {...row(vm)} />
        ))}
      </ul>
    </>
  )
}
