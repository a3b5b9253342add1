'use client'
import type { SizeView } from '../../data/hooks.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { cx } from '../../ui/cx.ts'
import { Field, InputWithUnit } from '../../ui/field.tsx'
import { Skeleton } from '../../ui/layout.tsx'
import { customFrom, type Draft, type DraftProblems } from './draft.ts'
import { choiceClass } from './image-picker.tsx'

const words: Readonly<Record<string, { text: string } | undefined>> = m.create.sizes

export function SizePicker({
  sizes,
  problemOf,
  withDisk,
  draft,
  problems,
  maxCpus,
  change,
}: {
  sizes: readonly SizeView[] | undefined
  problemOf: (size: SizeView) => string | null
  withDisk: boolean
  draft: Draft
  problems: DraftProblems
  maxCpus: number | undefined
  change: (part: Partial<Draft>) => void
}) {
  if (!sizes) return <Skeleton className="h-28 rounded-card!" />
  return (
    <>
      <div role="radiogroup" aria-label={m.create.size} className="grid grid-cols-2 gap-3 xl:grid-cols-4">
        {sizes.map((size) => {
          const why = problemOf(size)
          return (
            <label
              key={size.name}
              className={cx(choiceClass, 'flex flex-col p-3.5', why !== null && 'bg-sunken opacity-60')}
            >
              <input
                type="radio"
                name="size"
                value={size.name}
                checked={draft.size === size.name}
                disabled={why !== null}
                onChange={() => change({ size: size.name, disk: '' })}
                aria-label={size.label}
                aria-describedby={`size-${size.name}`}
                className="sr-only"
              />
              <span className="font-semibold">{size.label}</span>
              <span id={`size-${size.name}`} className="mt-1 flex flex-col text-13 text-ink-2 leading-5">
                <span className="tnum">{m.vms.vcpus(size.cpus)}</span>
                <span className="tnum">{m.vms.memory(bytes(size.memoryBytes))}</span>
                {withDisk ? <span className="tnum">{m.vms.disk(bytes(size.diskBytes))}</span> : null}
                <span className="mt-1.5 text-ink-3 text-xs leading-4">
                  {why ?? words[size.name]?.text ?? ''}
                </span>
              </span>
            </label>
          )
        })}
        <label className={cx(choiceClass, 'flex flex-col p-3.5')}>
          <input
            type="radio"
            name="size"
            value="custom"
            checked={draft.size === 'custom'}
            onChange={() => change(customFrom(draft, sizes))}
            aria-label={m.create.sizes.custom.name}
            className="sr-only"
          />
          <span className="font-semibold">{m.create.sizes.custom.name}</span>
          <span className="mt-1 text-13 text-ink-2 leading-5">{m.create.sizes.custom.text}</span>
        </label>
      </div>
      {draft.size === 'custom' ? (
        <div className="mt-4 grid grid-cols-1 gap-4 sm:grid-cols-3">
          <Field
            label={m.create.cpus}
            error={problems.cpus}
            hint={maxCpus ? m.create.limits.cpus(maxCpus) : undefined}
          >
            <InputWithUnit
              unit={m.create.unitCpus}
              inputMode="numeric"
              value={draft.cpus}
              onChange={(event) => change({ cpus: event.target.value })}
            />
          </Field>
          <Field label={m.create.memory} error={problems.memory}>
            <InputWithUnit
              unit={m.create.unitGib}
              inputMode="decimal"
              value={draft.memory}
              onChange={(event) => change({ memory: event.target.value })}
            />
          </Field>
        </div>
      ) : null}
    </>
  )
}
