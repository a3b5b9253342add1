'use client'
import { MIB } from '@hearth/shared/units'
import { vmLimits } from '@hearth/shared/vm-spec'
import { Power } from 'lucide-react'
import { useState } from 'react'
import { useHosts, useImages } from '../../data/hooks.ts'
import { bytes } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Field, InputWithUnit } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { parseGib } from '../create/draft.ts'
import { useVmUpdate } from './use-vm-update.ts'
import { useVmPage } from './vm-context.ts'

const t = m.vmSettings.size

/** As a person would type it: 2, 1.5, 512M. */
function gib(value: number): string {
  const size = value / (1024 * MIB)
  return Number.isInteger(size * 4) ? String(size) : `${Math.round(value / MIB)}M`
}

/** vCPUs and memory, changed while the VM is off. */
export function VmSizeForm() {
  const { vm, actions } = useVmPage()
  const { hosts } = useHosts()
  const { images } = useImages()
  const { update } = useVmUpdate()
  const [typed, setTyped] = useState<{ cpus?: string; memory?: string }>({})
  const cpusText = typed.cpus ?? String(vm.cpus)
  const memoryText = typed.memory ?? gib(vm.memoryBytes)

  const host = hosts?.find(({ id }) => id === vm.host.id)?.info
  const image = images?.find(({ uid }) => uid === vm.image.uid)
  const maxCpus = Math.min(host?.cpus ?? vmLimits.cpus.max, vmLimits.cpus.max)
  const maxMemory = host?.memoryBytes ?? vmLimits.memoryBytes.max
  const minMemory = image?.minMemoryBytes ?? vmLimits.memoryBytes.min
  const cpus = /^\d+$/.test(cpusText.trim()) ? Number(cpusText) : undefined
  const memoryBytes = parseGib(memoryText)
  const limits = m.create.limits
  const cpusProblem =
    cpus === undefined || cpus < 1 || cpus > maxCpus ? limits.cpusRange(vmLimits.cpus.min, maxCpus) : null
  const memoryProblem =
    memoryBytes === undefined
      ? limits.number
      : memoryBytes < minMemory
        ? limits.memoryMin(bytes(minMemory))
        : memoryBytes > maxMemory
          ? limits.memoryMax(bytes(maxMemory))
          : null
  const changed = cpus !== vm.cpus || memoryBytes !== vm.memoryBytes
  const why =
    vm.can.resize.why ?? cpusProblem ?? memoryProblem ?? (changed ? null : m.vmSettings.nothingChanged)
  return (
    <Card title={t.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (why !== null || cpus === undefined || memoryBytes === undefined) return
          update.mutate(
            { id: vm.id, cpus, memoryBytes, idempotencyKey: intentKey() },
            {
              onSuccess: () => {
                setTyped({})
                toast.success(t.saved(m.vms.vcpus(cpus), bytes(memoryBytes)))
              },
            },
          )
        }}
      >
        <div className="grid grid-cols-2 gap-4">
          <Field label={m.create.cpus} error={cpusProblem}>
            <InputWithUnit
              unit={m.create.unitCpus}
              inputMode="numeric"
              value={cpusText}
              readOnly={!vm.can.resize.ok}
              onChange={(event) => setTyped({ ...typed, cpus: event.target.value })}
            />
          </Field>
          <Field label={m.create.memory} error={memoryProblem}>
            <InputWithUnit
              unit={m.create.unitGib}
              inputMode="decimal"
              value={memoryText}
              readOnly={!vm.can.resize.ok}
              onChange={(event) => setTyped({ ...typed, memory: event.target.value })}
            />
          </Field>
        </div>
        <div className="mt-4 flex flex-wrap items-center justify-between gap-3">
          <p className="min-w-0 flex-1 basis-56 text-13 text-ink-3">{vm.can.resize.why ?? t.hint}</p>
          <div className="flex gap-2">
            {vm.can.shutdown.ok ? (
              <Button
                icon={<Power aria-hidden="true" />}
                busy={actions.pending === 'shutdown'}
                onClick={() => actions.power(vm, 'shutdown')}
              >
                {m.vms.power.shutdown}
              </Button>
            ) : null}
            <Button type="submit" variant="primary" busy={update.isPending} whyDisabled={why}>
              {t.save}
            </Button>
          </div>
        </div>
      </form>
    </Card>
  )
}
