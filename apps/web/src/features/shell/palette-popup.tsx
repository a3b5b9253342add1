'use client'
import { Dialog as Base } from '@base-ui/react/dialog'
import { Search, Server } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type KeyboardEvent, lazy, Suspense, useId, useMemo, useState } from 'react'
import { useAllVms, useSession, type VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { cx } from '../../ui/cx.ts'
import { Kbd } from '../../ui/layout.tsx'
import { useVmPower } from '../vms/use-vm-power.ts'
import type { Confirming } from '../vms/vm-confirm.tsx'
import { type Entry, generalEntries, pageEntries, vmEntries } from './palette-entries.tsx'

const VmConfirm = lazy(() => import('../vms/vm-confirm.tsx').then((part) => ({ default: part.VmConfirm })))

export default function PalettePopup({
  open,
  onOpenChange,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
}) {
  const actions = useVmPower()
  const [confirming, setConfirming] = useState<{ vm: VmView; what: NonNullable<Confirming> } | null>(null)
  return (
    <>
      <Base.Root open={open} onOpenChange={onOpenChange}>
        <Base.Portal>
          <Base.Backdrop className="fixed inset-0 z-40 bg-scrim transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0" />
          <Base.Popup className="fixed top-[12vh] left-1/2 z-40 w-[min(36rem,calc(100vw-2rem))] -translate-x-1/2 overflow-hidden rounded-card border border-line bg-overlay shadow-float outline-none transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0">
            <Base.Title className="sr-only">{m.common.palette.label}</Base.Title>
            <PaletteBody
              close={() => onOpenChange(false)}
              onConfirm={(vm, what) => setConfirming({ vm, what })}
            />
          </Base.Popup>
        </Base.Portal>
      </Base.Root>
      {/* Not within the palette, which is closed by then. */}
      {confirming ? (
        <Suspense>
          <VmConfirm {...confirming} actions={actions} onClose={() => setConfirming(null)} />
        </Suspense>
      ) : null}
    </>
  )
}

function PaletteBody({
  close,
  onConfirm,
}: {
  close: () => void
  onConfirm: (vm: VmView, what: NonNullable<Confirming>) => void
}) {
  const router = useRouter()
  const listId = useId()
  const { vms } = useAllVms()
  const { power } = useVmPower()
  const { session } = useSession()
  const [query, setQuery] = useState('')
  const [chosen, setChosen] = useState(0)

  const groups = useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const matches = (entry: Entry) =>
      words.every((word) => `${entry.label} ${entry.detail ?? ''}`.toLowerCase().includes(word))
    const machines = (vms ?? []).map(
      (vm): Entry => ({
        id: paths.vm(vm.id),
        href: paths.vm(vm.id),
        label: vm.name,
        detail: vm.image.name,
        icon: <Server />,
      }),
    )
    // Of actions there are many: they come when one looks for them.
    const actions =
      words.length > 0
        ? [...(vms ?? []).flatMap((vm) => vmEntries(vm, power, onConfirm)), ...generalEntries(session)]
        : []
    return [
      { label: m.common.palette.vms, entries: machines.filter(matches).slice(0, 8) },
      { label: m.common.palette.pages, entries: pageEntries(session).filter(matches) },
      { label: m.common.palette.actions, entries: actions.filter(matches).slice(0, 12) },
    ].filter((group) => group.entries.length > 0)
  }, [vms, query, session, power, onConfirm])
  const flat = groups.flatMap((group) => group.entries)
  const at = Math.min(chosen, flat.length - 1)

  function go(entry: Entry | undefined) {
    if (!entry) return
    close()
    if (entry.act) entry.act()
    else if (entry.href) router.push(entry.href)
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'ArrowDown') setChosen(flat.length ? (at + 1) % flat.length : 0)
    else if (event.key === 'ArrowUp') setChosen(flat.length ? (at - 1 + flat.length) % flat.length : 0)
    else if (event.key === 'Enter') go(flat[at])
    else return
    event.preventDefault()
  }

  let index = -1
  return (
    <>
      <div className="flex items-center gap-2.5 border-line border-b px-4">
        <Search className="size-4 text-ink-3" aria-hidden="true" />
        <input
          // biome-ignore lint/a11y/noAutofocus: the palette was opened to type into it
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={flat[at] ? `${listId}-${at}` : undefined}
          aria-label={m.common.palette.label}
          placeholder={m.common.palette.placeholder}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value)
            setChosen(0)
          }}
          onKeyDown={onKeyDown}
          className="h-12 flex-1 bg-transparent text-base outline-none! placeholder:text-ink-3"
        />
        <Kbd>Esc</Kbd>
      </div>
      <div
        id={listId}
        role="listbox"
        aria-label={m.common.palette.label}
        className="max-h-[22rem] overflow-y-auto p-1.5"
      >
        {flat.length === 0 ? (
          <p className="px-3 py-6 text-center text-ink-3">{m.common.palette.empty}</p>
        ) : null}
        {groups.map((group) => (
          // biome-ignore lint/a11y/useSemanticElements: a group of options inside a listbox has no element of its own
          <div key={group.label} role="group" aria-label={group.label} className="pb-1">
            <p aria-hidden="true" className="px-2.5 pt-2 pb-1 text-ink-3 text-xs">
              {group.label}
            </p>
            {group.entries.map((entry) => {
              index++
              const mine = index
              return (
                // biome-ignore lint/a11y/useFocusableInteractive: focus stays in the field, which names the active option
                // biome-ignore lint/a11y/useKeyWithClickEvents: the field handles the keys
                <div
                  key={entry.id}
                  id={`${listId}-${mine}`}
                  role="option"
                  aria-selected={mine === at}
                  onMouseMove={() => setChosen(mine)}
                  onClick={() => go(entry)}
                  className={cx(
                    'flex cursor-pointer items-center gap-3 rounded-md px-2.5 py-2 [&_svg]:size-4 [&_svg]:text-ink-3',
                    mine === at && 'bg-raised [&_svg]:text-ember',
                  )}
                >
                  {entry.icon}
                  <span className="min-w-0 flex-1 truncate">{entry.label}</span>
                  {entry.detail ? <span className="text-13 text-ink-3">{entry.detail}</span> : null}
                </div>
              )
            })}
          </div>
        ))}
      </div>
    </>
  )
}
