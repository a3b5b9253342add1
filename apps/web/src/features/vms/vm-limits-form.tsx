'use client'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Field, InputWithUnit, Select } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { Switch } from '../../ui/switch.tsx'
import { toast } from '../../ui/toast.tsx'
import { RefusalNotice } from '../projects/quota-refusal.tsx'
import { draftOf, type LimitDraft, type Limited, limitOf } from './limit-draft.ts'
import { SettingRow } from './setting-row.tsx'
import { useVmCache } from './use-vm-cache.ts'
import { useVmPage } from './vm-context.ts'

const t = m.limits

/** How fast disks and network may be, and what becomes of memory the guest frees. For owners. */
export function VmLimitsForm() {
  const { vm } = useVmPage()
  const trpc = useTRPC()
  const { keep } = useVmCache()
  const [typed, setTyped] = useState<{ disk?: LimitDraft; network?: LimitDraft }>({})
  const limit = useMutation(
    trpc.vm.limit.mutationOptions({
      onSuccess: (now) => keep(now),
    }),
  )
  const saved = { disk: draftOf('disk', vm.diskLimit), network: draftOf('network', vm.netLimit) }
  const drafts = { disk: typed.disk ?? saved.disk, network: typed.network ?? saved.network }
  const read = { disk: limitOf('disk', drafts.disk), network: limitOf('network', drafts.network) }
  const same = JSON.stringify(drafts) === JSON.stringify(saved)
  const problem = read.disk.problem ?? read.network.problem
  const why =
    vm.can.limit.why ?? (problem === null ? (same ? m.vmSettings.nothingChanged : null) : t.problems[problem])
  return (
    <Card title={t.title}>
      <form
        className="flex flex-col gap-5"
        onSubmit={(event) => {
          event.preventDefault()
          if (why !== null || read.disk.problem !== null || read.network.problem !== null) return
          limit.mutate(
            {
              id: vm.id,
              diskLimit: read.disk.limit,
              netLimit: read.network.limit,
              idempotencyKey: intentKey(),
            },
            {
              onSuccess: () => {
                setTyped({})
                toast.success(t.saved)
              },
            },
          )
        }}
      >
        {(['disk', 'network'] as const).map((what) => (
          <LimitFields
            key={what}
            what={what}
            draft={drafts[what]}
            problem={read[what].problem}
            disabled={!vm.can.limit.ok}
            onChange={(draft) => setTyped({ ...typed, [what]: draft })}
          />
        ))}
        <p className="text-13 text-ink-3">{vm.can.limit.why ?? t.hint}</p>
        {limit.error ? <RefusalNotice error={limit.error} /> : null}
        <div>
          <Button type="submit" variant="primary" busy={limit.isPending} whyDisabled={why}>
            {t.save}
          </Button>
        </div>
      </form>
      <div className="mt-5 border-line border-t pt-4">
        <SettingRow
          title={t.returnMemory}
          hint={t.returnMemoryHint}
          control={
            <Switch
              label={t.returnMemory}
              disabled={!vm.can.limit.ok}
              checked={!(limit.isPending ? (limit.variables.keepMemory ?? vm.keepMemory) : vm.keepMemory)}
              onChange={(returns) =>
                limit.mutate({ id: vm.id, keepMemory: !returns, idempotencyKey: intentKey() })
              }
            />
          }
        />
      </div>
    </Card>
  )
}

const bursts = ['1', '5', '10', '30', '60'] as const

function LimitFields({
  what,
  draft,
  problem,
  disabled,
  onChange,
}: {
  what: Limited
  draft: LimitDraft
  problem: 'speed' | 'operations' | null
  disabled: boolean
  onChange: (draft: LimitDraft) => void
}) {
  const limited = draft.speed.trim() !== '' || draft.operations.trim() !== ''
  return (
    <fieldset disabled={disabled} className="min-w-0">
      <legend className="mb-2 font-medium text-13">{t.of[what]}</legend>
      <div className="grid grid-cols-1 gap-3 sm:grid-cols-3">
        <Field label={t.speed} error={problem === 'speed' ? t.problems.speed : null}>
          <InputWithUnit
            unit={t.units[what]}
            inputMode="decimal"
            placeholder={t.none}
            value={draft.speed}
            onChange={(event) => onChange({ ...draft, speed: event.target.value })}
          />
        </Field>
        <Field label={t.operations[what]} error={problem === 'operations' ? t.problems.operations : null}>
          <InputWithUnit
            unit={t.perSecond}
            inputMode="numeric"
            placeholder={t.none}
            value={draft.operations}
            onChange={(event) => onChange({ ...draft, operations: event.target.value })}
          />
        </Field>
        <Field label={t.burst}>
          <Select
            value={draft.burst}
            disabled={disabled || !limited}
            onChange={(event) => onChange({ ...draft, burst: event.target.value })}
          >
            {[...new Set([...bursts, draft.burst])].map((seconds) => (
              <option key={seconds} value={seconds}>
                {t.seconds(Number(seconds))}
              </option>
            ))}
          </Select>
        </Field>
      </div>
    </fieldset>
  )
}
