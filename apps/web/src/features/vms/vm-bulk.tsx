'use client'
import { Play, Power, PowerOff, RefreshCw, RotateCcw, Trash2, X } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { type BulkOp, bulkOps } from './bulk-ops.ts'

const VmBulkDialog = lazy(() =>
  import('./vm-bulk-dialog.tsx').then((part) => ({ default: part.VmBulkDialog })),
)

const t = m.vms.bulk
const icons: Record<BulkOp, React.ReactNode> = {
  start: <Play aria-hidden="true" />,
  shutdown: <Power aria-hidden="true" />,
  reboot: <RefreshCw aria-hidden="true" />,
  reset: <RotateCcw aria-hidden="true" />,
  poweroff: <PowerOff aria-hidden="true" />,
  delete: <Trash2 aria-hidden="true" />,
}

/** What can be done with all that are selected; floats at the foot of the page, so that nothing moves for it. */
export function VmBulk({
  vms,
  selected,
  onClear,
}: {
  vms: readonly VmView[]
  selected: ReadonlySet<number>
  onClear: () => void
}) {
  const [asked, setAsked] = useState<{ op: BulkOp; ids: readonly number[] } | null>(null)
  const chosen = vms.filter((vm) => selected.has(vm.id))
  return (
    <>
      {chosen.length > 0 ? (
        // biome-ignore lint/a11y/useSemanticElements: a row of buttons is no fieldset
        <div
          role="group"
          aria-label={t.label}
          className="sticky bottom-16 z-20 mx-auto flex max-w-full flex-wrap items-center gap-1.5 rounded-card border border-line-strong bg-overlay p-1.5 pl-4 shadow-float md:bottom-5"
        >
          <span className="tnum mr-2 font-medium text-13" aria-live="polite">
            {t.selected(chosen.length)}
          </span>
          {bulkOps.map((op) => (
            <Button
              key={op}
              size="sm"
              variant="ghost"
              icon={icons[op]}
              className={op === 'delete' ? 'text-bad!' : ''}
              whyDisabled={chosen.some((vm) => vm.can[op].ok) ? null : t.none(m.vms.power[op])}
              onClick={() => setAsked({ op, ids: chosen.map(({ id }) => id) })}
            >
              {m.vms.power[op]}
            </Button>
          ))}
          <IconButton label={t.clear} onClick={onClear}>
            <X />
          </IconButton>
        </div>
      ) : null}
      {asked ? (
        <Suspense>
          <VmBulkDialog
            op={asked.op}
            ids={asked.ids}
            vms={vms}
            onClose={() => setAsked(null)}
            onDone={onClear}
          />
        </Suspense>
      ) : null}
    </>
  )
}
