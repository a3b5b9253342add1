'use client'
import { useMutation } from '@tanstack/react-query'
import { CircleAlert, CircleCheck, CircleMinus } from 'lucide-react'
import { useState } from 'react'
import { errorMessage } from '../../data/errors.ts'
import type { VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/index.ts'
import { BusyDots, Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { ImageMark } from '../../ui/image-mark.tsx'
import type { BulkOp } from './bulk-ops.ts'

const t = m.vms.bulk
/** As many at once as the host is asked without making the others wait behind one that is slow. */
const atOnce = 4

type Outcome = { state: 'waiting' | 'asking' } | { state: 'accepted' } | { state: 'refused'; why: string }

/** One question for all of them, then what became of each; those that cannot be are named before one says yes. */
export function VmBulkDialog({
  op,
  ids,
  vms,
  onClose,
  onDone,
}: {
  op: BulkOp
  ids: readonly number[]
  vms: readonly VmView[]
  onClose: () => void
  /** Everything was accepted. */
  onDone: () => void
}) {
  const trpc = useTRPC()
  const power = useMutation(trpc.vm.power.mutationOptions())
  const remove = useMutation(trpc.vm.delete.mutationOptions())
  // As they were when the question was asked: the list goes on changing beneath.
  const [rows] = useState(() => vms.filter((vm) => ids.includes(vm.id)))
  const able = rows.filter((vm) => vm.can[op].ok)
  const [outcomes, setOutcomes] = useState<ReadonlyMap<number, Outcome> | null>(null)
  const [typed, setTyped] = useState('')
  const running =
    outcomes !== null && [...outcomes.values()].some(({ state }) => state === 'waiting' || state === 'asking')
  const finished = outcomes !== null && !running
  const risky = op === 'delete'
  const why =
    able.length === 0
      ? t.none(m.vms.power[op])
      : risky && typed.trim() !== String(able.length)
        ? t.typeMismatch(able.length)
        : null

  async function run() {
    const now = new Map<number, Outcome>(able.map((vm) => [vm.id, { state: 'waiting' }]))
    const tell = (id: number, outcome: Outcome) => {
      now.set(id, outcome)
      setOutcomes(new Map(now))
    }
    setOutcomes(new Map(now))
    const queue = [...able]
    const worker = async () => {
      for (let vm = queue.shift(); vm; vm = queue.shift()) {
        tell(vm.id, { state: 'asking' })
        try {
          if (op === 'delete')
            await remove.mutateAsync({ id: vm.id, confirmName: vm.name, idempotencyKey: intentKey() })
          else await power.mutateAsync({ id: vm.id, op, idempotencyKey: intentKey() })
          tell(vm.id, { state: 'accepted' })
        } catch (error) {
          tell(vm.id, { state: 'refused', why: errorMessage(error, m.entry.signIn.unreachable) })
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    if ([...now.values()].every(({ state }) => state === 'accepted')) onDone()
  }

  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.title(m.vms.power[op], able.length)}
      description={finished ? t.asked : t.texts[op]}
      footer={
        finished ? (
          <Button variant="primary" onClick={onClose}>
            {m.common.close}
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>{m.common.cancel}</Button>
            <Button
              type="submit"
              form="vm-bulk"
              variant={op === 'start' || op === 'shutdown' || op === 'reboot' ? 'primary' : 'danger'}
              busy={running}
              whyDisabled={why}
            >
              {t.confirm(m.vms.power[op], able.length)}
            </Button>
          </>
        )
      }
    >
      <form
        id="vm-bulk"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (!why && !outcomes) void run()
        }}
      >
        <ul className="max-h-72 divide-y divide-line overflow-y-auto rounded-control border border-line">
          {rows.map((vm) => (
            <Row
              key={vm.id}
              // The action's progress comes with the list.
              vm={vms.find(({ id }) => id === vm.id) ?? vm}
              cannot={vm.can[op].why}
              outcome={outcomes?.get(vm.id)}
            />
          ))}
        </ul>
        {risky && !outcomes ? (
          <Field label={t.type(able.length)}>
            <Input
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
              inputMode="numeric"
              autoComplete="off"
              className="max-w-28"
            />
          </Field>
        ) : null}
      </form>
    </Dialog>
  )
}

function Row({ vm, cannot, outcome }: { vm: VmView; cannot: string | null; outcome: Outcome | undefined }) {
  const failed = vm.action?.status === 'error' ? vm.action.error?.message : undefined
  const why = cannot ?? (outcome?.state === 'refused' ? outcome.why : failed && outcome ? failed : null)
  return (
    <li className="flex items-center gap-3 px-3 py-2">
      <ImageMark uid={vm.image.uid} size="sm" />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium text-13">{vm.name}</span>
        {why ? <span className={`block text-xs ${cannot ? 'text-ink-3' : 'text-bad'}`}>{why}</span> : null}
      </span>
      <span className="flex shrink-0 items-center gap-1.5 text-13 text-ink-2" aria-live="polite">
        {cannot ? (
          <>
            <CircleMinus className="size-4 text-ink-3" aria-hidden="true" />
            {t.skipped}
          </>
        ) : outcome === undefined ? null : why ? (
          <>
            <CircleAlert className="size-4 text-bad" aria-hidden="true" />
            {t.refused}
          </>
        ) : outcome.state === 'accepted' ? (
          vm.action?.status === 'running' ? (
            <>
              <BusyDots />
              {t.underWay}
            </>
          ) : (
            <>
              <CircleCheck className="size-4 text-ok" aria-hidden="true" />
              {t.done}
            </>
          )
        ) : (
          <BusyDots />
        )}
      </span>
    </li>
  )
}
