'use client'
import { Columns3 } from 'lucide-react'
import { useMemo } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { ClearFilters, Filter } from '../../ui/filter.tsx'
import { Menu, MenuChecks, MenuLabel } from '../../ui/menu.tsx'
import { SearchField } from '../../ui/search-field.tsx'
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
}: {
  vms: readonly VmView[]
  view: ListView
  onChange: (change: Partial<ListView>) => void
}) {
  const labels = useMemo(() => labelsOf(vms), [vms])
  const projects = useMemo(() => [...new Map(vms.map((vm) => [vm.project.id, vm.project])).values()], [vms])
  const inState = (group: StateGroup) => vms.filter((vm) => stateGroup(vm) === group).length
  const shown = shownColumns.use()
  return (
    <div className="flex flex-wrap items-center gap-2">
      <SearchField
        label={t.search}
        placeholder={t.searchPlaceholder}
        value={view.query}
        onChange={(query) => onChange({ query })}
      />
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
