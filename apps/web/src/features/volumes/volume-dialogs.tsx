'use client'
import { volumeLimits } from '@hearth/shared/volume'
import { useState } from 'react'
import type { VolumeView } from '../../../server/views/index.ts'
import { useAllVms, useProjects } from '../../data/hooks.ts'
import { useChosenProject } from '../../lib/chosen-project.ts'
import { bytes } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { Checkbox, Field, Input, InputWithUnit, Select } from '../../ui/field.tsx'
import { toast } from '../../ui/toast.tsx'
import { parseGib } from '../create/draft.ts'
import { RefusalNotice } from '../projects/quota-refusal.tsx'
import { FormDialog } from '../shell/form-dialog.tsx'
import type { Volumes } from '../vms/use-volumes.ts'

const t = m.volumes

/** A disk that no VM has yet. */
export function MakeVolume({ store, onClose }: { store: Volumes; onClose: () => void }) {
  const { projects = [] } = useProjects()
  const chosen = useChosenProject()
  const [projectId, setProjectId] = useState<number>()
  const [name, setName] = useState('')
  const [size, setSize] = useState('10')
  const [format, setFormat] = useState(true)
  const [key] = useState(intentKey)
  const project = projectId ?? chosen ?? projects[0]?.id
  const wanted = parseGib(size)
  const { min, max } = volumeLimits.bytes
  const words = m.disks.create
  const problem =
    wanted === undefined || wanted < min || wanted > max ? words.range(bytes(min), bytes(max)) : null
  return (
    <FormDialog
      id="volume-make"
      title={t.makeTitle}
      description={t.makeText}
      submit={t.confirm}
      busy={store.make.isPending}
      why={name.trim() === '' ? words.nameNeeded : problem}
      onClose={onClose}
      onSubmit={() => {
        if (wanted === undefined) return
        store.make.mutate(
          {
            ...(project === undefined ? {} : { projectId: project }),
            name: name.trim(),
            bytes: wanted,
            format: format ? 'ext4' : null,
            idempotencyKey: key,
          },
          {
            onSuccess: () => {
              toast.success(t.made(name.trim()))
              onClose()
            },
          },
        )
      }}
    >
      <Field label={words.name}>
        <Input
          value={name}
          maxLength={63}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      {projects.length > 1 ? (
        <Field label={t.project}>
          <Select value={project ?? ''} onChange={(event) => setProjectId(Number(event.target.value))}>
            {projects.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
          </Select>
        </Field>
      ) : null}
      <Field label={words.size} error={problem}>
        <InputWithUnit
          unit={m.create.unitGib}
          inputMode="decimal"
          value={size}
          onChange={(event) => setSize(event.target.value)}
        />
      </Field>
      <Checkbox
        label={words.format}
        hint={words.formatHint}
        checked={format}
        onChange={(event) => setFormat(event.target.checked)}
      />
      {store.make.error ? <RefusalNotice error={store.make.error} /> : null}
    </FormDialog>
  )
}

/** To one of its project's VMs that are off. */
export function AttachVolume({
  volume,
  store,
  onClose,
}: {
  volume: VolumeView
  store: Volumes
  onClose: () => void
}) {
  const { vms = [] } = useAllVms()
  const fitting = vms.filter((vm) => vm.project.id === volume.project.id && vm.can.resize.ok)
  const [vmId, setVmId] = useState<number>()
  const target = vmId ?? fitting[0]?.id
  return (
    <FormDialog
      id="volume-attach"
      title={t.attachTitle(volume.name)}
      description={t.attachText}
      submit={t.attachConfirm}
      busy={store.attach.isPending}
      why={volume.can.attach.why ?? (target === undefined ? t.noVm : null)}
      onClose={onClose}
      onSubmit={() => {
        if (target !== undefined)
          store.attach.mutate(
            { id: volume.id, vm: target, idempotencyKey: intentKey() },
            { onSuccess: onClose },
          )
      }}
    >
      {fitting.length === 0 ? (
        <p className="text-13 text-ink-2">{t.noVm}</p>
      ) : (
        <Field label={t.vm}>
          <Select value={target ?? ''} onChange={(event) => setVmId(Number(event.target.value))}>
            {fitting.map((vm) => (
              <option key={vm.id} value={vm.id}>
                {vm.name}
              </option>
            ))}
          </Select>
        </Field>
      )}
    </FormDialog>
  )
}
