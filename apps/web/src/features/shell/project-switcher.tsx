'use client'
import { ChevronsUpDown, FolderClosed } from 'lucide-react'
import Link from 'next/link'
import { useSession } from '../../data/hooks.ts'
import { chooseProject, useChosenProject } from '../../lib/chosen-project.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { cx } from '../../ui/cx.ts'
import { Menu, MenuChoice, MenuLinkItem, MenuSeparator } from '../../ui/menu.tsx'

const all = 'all'

/** Above the navigation, on a phone in its header: the project one works in. Absent while there is one only. */
export function ProjectSwitcher({ compact = false }: { compact?: boolean }) {
  const t = m.common.switcher
  const { session } = useSession()
  const chosen = useChosenProject()
  const projects = session?.projects ?? []
  if (projects.length < 2) return null
  const current = projects.find(({ id }) => id === chosen)
  return (
    <Menu
      align={compact ? 'end' : 'start'}
      trigger={
        <button
          type="button"
          aria-label={`${t.label}: ${current?.name ?? t.all}`}
          className={cx(
            'flex items-center gap-2 rounded-control text-left font-medium text-13',
            compact
              ? 'h-9 max-w-36 px-2 hover:bg-raised'
              : 'h-8.5 w-full border border-line bg-surface px-2.5 hover:border-line-strong',
          )}
        >
          {compact ? null : <FolderClosed className="size-4 text-ink-3" aria-hidden="true" />}
          <span className="min-w-0 flex-1 truncate">{current?.name ?? t.all}</span>
          <ChevronsUpDown className="size-3.5 text-ink-3" aria-hidden="true" />
        </button>
      }
    >
      <MenuChoice
        label={t.label}
        value={current ? String(current.id) : all}
        options={[
          { value: all, label: t.all },
          ...projects.map(({ id, name }) => ({ value: String(id), label: name })),
        ]}
        onChange={(value) => chooseProject(value === all ? null : Number(value))}
      />
      <MenuSeparator />
      <MenuLinkItem icon={<FolderClosed />} render={<Link href={paths.projects()} />}>
        {t.manage}
      </MenuLinkItem>
    </Menu>
  )
}
