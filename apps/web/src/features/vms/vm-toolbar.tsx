'use client'
import { Columns3, Search } from 'lucide-react'
import { type Ref, useMemo } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { controlClass } from '../../ui/field.tsx'
import { ClearFilters, Filter } from '../../ui/filter.tsx'
import { Menu, MenuChecks, MenuLabel } from '../../ui/menu.tsx'
import {
  type Column,
  columns,
  isFiltered,
  type ListView,
  labelsOf,
  plainView,
  type StateGroup,
  stateGroup,
  stateGroups,
} from './list-view.ts'
import { shownColumns } from './vm-columns.ts'

const t = m.vms

/** Search, filters and columns of the list. */
export function VmToolbar({
  vms,
  view,
  onChange,
  searchRef,
}: {
  vms: readonly VmView[]
  view: ListView
  onChange: (change: Partial<ListView>) => void
  searchRef: Ref<HTMLInputElement>
}) {
  const labels = useMemo(() => labelsOf(vms), [vms])
  const projects = useMemo(() => [...new Map(vms.map((vm) => [vm.project.id, vm.project])).values()], [vms])
  const inState = (group: StateGroup) => vms.filter((vm) => stateGroup(vm) === group).length
  const shown = shownColumns.use()
  return (
    <div className="flex flex-wrap items-center gap-2">
      <label className="relative min-w-52 flex-1 sm:max-w-80">
        <span className="sr-only">{t.search}</span>
        <Search
          className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-3"
          aria-hidden="true"
        />
        <input
          ref={searchRef}
          type="search"
          value={view.query}
          onChange={(event) => onChange({ query: event.target.value })}
          placeholder={t.searchPlaceholder}
          className={`${controlClass} h-9 pl-9`}
        />
      </label>
      <Filter
        label={t.columns.state}
        values={view.states}
        options={stateGroups
          .filter((group) => inState(group) > 0 || view.states.includes(group))
          .map((group) => ({ value: group, label: t.groups[group], count: inState(group) }))}
        onChange={(states) => onChange({ states })}
      />
      {labels.length > 0 || view.labels.length > 0 ? (
        <Filter
          label={t.labels}
          values={view.labels}
          options={[...new Set([...labels, ...view.labels])].map((label) => ({ value: label, label }))}
          onChange={(chosen) => onChange({ labels: chosen })}
        />
      ) : null}
      {projects.length > 1 || view.project !== null ? (
        <Filter
          label={t.columns.project}
          values={view.project === null ? [] : [String(view.project)]}
          options={projects.map(({ id, name }) => ({ value: String(id), label: name }))}
          // One project at a time: the one chosen last.
          onChange={(chosen) => onChange({ project: chosen.length > 0 ? Number(chosen.at(-1)) : null })}
        />
      ) : null}
      {isFiltered(view) ? (
        <ClearFilters
          label={t.clearFilters}
          onClear={() => onChange({ ...plainView, sort: view.sort, descending: view.descending })}
        />
      ) : null}
      <div className="ml-auto hidden lg:block">
        <Menu
          trigger={
            <button type="button" className={buttonClass('secondary', 'md', 'px-3 text-13!')}>
              <Columns3 aria-hidden="true" />
              {t.chooseColumns}
            </button>
          }
        >
          <MenuLabel>{t.chooseColumns}</MenuLabel>
          <MenuChecks<Column>
            label={t.chooseColumns}
            values={shown}
            options={columns.map((column) => ({
              value: column,
              label: t.columns[column],
              disabled: column === 'name',
            }))}
            onChange={(chosen) => shownColumns.set(columns.filter((column) => chosen.includes(column)))}
          />
        </Menu>
      </div>
    </div>
  )
}
