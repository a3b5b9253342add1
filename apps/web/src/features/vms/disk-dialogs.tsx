'use client'
import { GIB } from '@hearth/shared/units'
import { volumeLimits } from '@hearth/shared/volume'
import { useState } from 'react'
import type { VolumeView } from '../../../server/views/index.ts'
import { bytes } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Checkbox, Field, Input, InputWithUnit } from '../../ui/field.tsx'
import { parseGib } from '../create/draft.ts'
import { FormDialog } from '../shell/form-dialog.tsx'
import { useVmUpdate } from './use-vm-update.ts'
import type { Volumes } from './use-volumes.ts'
import { useVmPage } from './vm-context.ts'

export type DiskAsking =
  | { what: 'create' }
  | { what: 'growSystem' }
  | { what: 'grow' | 'delete'; volume: VolumeView }

const t = m.disks

export function DiskDialogs({
  asking,
  store,
  onClose,
}: {
  asking: DiskAsking
  store: Volumes
  onClose: () => void
}) {
  if (asking.what === 'create') return <Create store={store} onClose={onClose} />
  if (asking.what === 'growSystem') return <GrowSystem onClose={onClose} />
  const { volume } = asking
  if (asking.what === 'grow')
    return (
      <Grow
        name={volume.name}
        size={volume.bytes}
        hint={t.grow.volumeHint}
        why={volume.can.resize.why}
        busy={store.resize.isPending}
        onClose={onClose}
        onGrow={(size) =>
          store.resize.mutate(
            { id: volume.id, bytes: size, idempotencyKey: intentKey() },
            { onSuccess: onClose },
          )
        }
      />
    )
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.delete.title(volume.name)}
      description={t.delete.text}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button
            variant="danger"
            busy={store.remove.isPending}
            whyDisabled={volume.can.delete.why}
            onClick={() =>
              store.remove.mutate({ id: volume.id, idempotencyKey: intentKey() }, { onSuccess: onClose })
            }
          >
            {t.delete.confirm}
          </Button>
        </>
      }
    />
  )
}

function Create({ store, onClose }: { store: Volumes; onClose: () => void }) {
  const { vm } = useVmPage()
  const [name, setName] = useState(() => freeName(vm.name, store.volumes ?? []))
  const [size, setSize] = useState('10')
  const [format, setFormat] = useState(true)
  const [key] = useState(intentKey)
  const wanted = parseGib(size)
  const { min, max } = volumeLimits.bytes
  const problem =
    wanted === undefined || wanted < min || wanted > max ? t.create.range(bytes(min), bytes(max)) : null
  const why = vm.can.resize.why ?? (name.trim() === '' ? t.create.nameNeeded : problem)
  return (
    <FormDialog
      id="disk-create"
      title={t.create.title(vm.name)}
      description={t.create.text}
      submit={t.create.confirm}
      busy={store.create.isPending}
      why={why}
      onClose={onClose}
      onSubmit={() => {
        if (wanted === undefined) return
        store.create.mutate(
          {
            vmId: vm.id,
            name: name.trim(),
            bytes: wanted,
            format: format ? 'ext4' : null,
            idempotencyKey: key,
          },
          { onSuccess: onClose },
        )
      }}
    >
      <Field label={t.create.name}>
        <Input
          value={name}
          maxLength={63}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <Field label={t.create.size} error={problem}>
        <InputWithUnit
          unit={m.create.unitGib}
          inputMode="decimal"
          value={size}
          onChange={(event) => setSize(event.target.value)}
        />
      </Field>
      <Checkbox
        label={t.create.format}
        hint={t.create.formatHint}
        checked={format}
        onChange={(event) => setFormat(event.target.checked)}
      />
    </FormDialog>
  )
}

/** `web-data` for the first disk of `web`, then `web-data-2`. */
function freeName(vmName: string, volumes: readonly VolumeView[]): string {
  const taken = new Set(volumes.map(({ name }) => name))
  const stem = `${vmName.slice(0, 55)}-data`
  if (!taken.has(stem)) return stem
  let number = 2
  while (taken.has(`${stem}-${number}`)) number++
  return `${stem}-${number}`
}

function GrowSystem({ onClose }: { onClose: () => void }) {
  const { vm } = useVmPage()
  const { update } = useVmUpdate()
  return (
    <Grow
      name={t.system}
      size={vm.diskBytes ?? 0}
      hint={t.grow.systemHint}
      why={vm.can.resize.why}
      busy={update.isPending}
      onClose={onClose}
      onGrow={(size) =>
        update.mutate({ id: vm.id, diskBytes: size, idempotencyKey: intentKey() }, { onSuccess: onClose })
      }
    />
  )
}

function Grow({
  name,
  size,
  hint,
  why,
  busy,
  onClose,
  onGrow,
}: {
  name: string
  size: number
  hint: string
  why: string | null
  busy: boolean
  onClose: () => void
  onGrow: (bytes: number) => void
}) {
  const [typed, setTyped] = useState(String(Math.ceil(size / GIB) * 2))
  const wanted = parseGib(typed)
  const problem =
    wanted === undefined
      ? m.create.limits.number
      : wanted <= size
        ? t.grow.tooSmall(bytes(size))
        : wanted > volumeLimits.bytes.max
          ? t.create.range(bytes(volumeLimits.bytes.min), bytes(volumeLimits.bytes.max))
          : null
  return (
    <FormDialog
      id="disk-grow"
      title={t.grow.title(name)}
      description={hint}
      submit={t.grow.action}
      busy={busy}
      why={why ?? problem}
      onClose={onClose}
      onSubmit={() => {
        if (wanted !== undefined) onGrow(wanted)
      }}
    >
      <Field label={t.grow.size(bytes(size))} error={problem}>
        <InputWithUnit
          unit={m.create.unitGib}
          inputMode="decimal"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </Field>
    </FormDialog>
  )
}
