'use client'
import { maxScreens } from '@hearth/shared/screens'
import { keyboardLayoutSchema, vmBoots } from '@hearth/shared/vm-spec'
import { watchdogActions } from '@hearth/shared/watchdog'
import { Trash2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { useAllVms } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { CodeInput, Field, Select } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { Switch } from '../../ui/switch.tsx'
import { ChoiceRow, SettingRow } from './setting-row.tsx'
import { useVmUpdate } from './use-vm-update.ts'
import { VmConfirm } from './vm-confirm.tsx'
import { useVmPage } from './vm-context.ts'
import { VmFolders } from './vm-folders.tsx'
import { VmLabelsForm } from './vm-labels-form.tsx'
import { VmLimitsForm } from './vm-limits-form.tsx'
import { vmNameProblem } from './vm-name.ts'
import { VmRebuild } from './vm-rebuild.tsx'
import { VmSizeForm } from './vm-size-form.tsx'

const t = m.vmSettings

export function VmSettingsTab() {
  return (
    <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-2">
      <div className="flex min-w-0 flex-col gap-5">
        <NameForm />
        <VmSizeForm />
        <VmLimitsForm />
      </div>
      <div className="flex min-w-0 flex-col gap-5">
        <Behaviour />
        <ScreenSettings />
        <VmFolders />
        <VmLabelsForm />
        <Danger />
      </div>
    </div>
  )
}

function NameForm() {
  const { vm } = useVmPage()
  const { vms } = useAllVms()
  const { update, changeUndoably } = useVmUpdate()
  const [typed, setTyped] = useState<string>()
  const name = typed ?? vm.name
  const taken = vms?.some((other) => other.id !== vm.id && other.name === name) ?? false
  const problem = vmNameProblem(name, taken)
  const why = vm.can.update.why ?? problem ?? (name === vm.name ? t.nothingChanged : null)
  return (
    <Card title={t.name.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (why !== null) return
          const before = vm.name
          changeUndoably(vm.id, { name }, t.name.saved(name), () => ({ name: before }))
          setTyped(undefined)
        }}
      >
        <div className="flex items-start gap-2">
          <Field label={t.name.label} labelHidden error={problem} className="flex-1">
            <CodeInput value={name} onChange={(event) => setTyped(event.target.value)} />
          </Field>
          <Button type="submit" variant="primary" busy={update.isPending} whyDisabled={why} className="h-9.5">
            {t.name.save}
          </Button>
        </div>
        <p className="mt-2 text-13 text-ink-3">{t.name.hint}</p>
      </form>
    </Card>
  )
}

function Behaviour() {
  const { vm } = useVmPage()
  const { update, protect } = useVmUpdate()
  return (
    <Card title={t.behaviour}>
      <div className="divide-y divide-line">
        <SettingRow
          title={t.startAtBoot}
          hint={vm.can.update.why ?? t.startAtBootHint}
          control={
            <Switch
              label={t.startAtBoot}
              disabled={!vm.can.update.ok}
              checked={vm.startAtBoot}
              onChange={(startAtBoot) => update.mutate({ id: vm.id, startAtBoot })}
            />
          }
        />
        {vm.diskBytes === null ? null : (
          <ChoiceRow
            title={t.boot}
            hint={vm.can.update.why ?? t.bootHint}
            disabled={!vm.can.update.ok}
            // What a kernel beside the disk would start is what the image starts, if it has one at all.
            choices={(['image', ...vmBoots] as const).filter(
              (how) => how !== 'direct' || vm.boot === 'direct',
            )}
            value={vm.boot ?? 'image'}
            nameOf={(how) => t.boots[how]}
            onChoice={(how) => update.mutate({ id: vm.id, boot: how === 'image' ? null : how })}
          />
        )}
        <ChoiceRow
          title={t.watchdog}
          hint={vm.can.update.why ?? t.watchdogHint}
          disabled={!vm.can.update.ok}
          choices={['none', ...watchdogActions] as const}
          value={vm.watchdog ?? 'none'}
          nameOf={(action) => t.watchdogs[action]}
          onChoice={(action) => update.mutate({ id: vm.id, watchdog: action === 'none' ? null : action })}
        />
        <SettingRow
          title={t.protect}
          hint={vm.can.label.why ?? t.protectHint}
          control={
            <Switch
              label={t.protect}
              disabled={!vm.can.label.ok}
              checked={vm.deleteProtected}
              onChange={(deleteProtected) => protect.mutate({ id: vm.id, deleteProtected })}
            />
          }
        />
      </div>
    </Card>
  )
}

function ScreenSettings() {
  const { vm } = useVmPage()
  const { update } = useVmUpdate()
  const { display } = vm
  return (
    <Card title={m.display.setting}>
      <div className="divide-y divide-line">
        <SettingRow
          title={m.display.setting}
          hint={vm.can.update.why ?? m.display.settingHint}
          control={
            <Switch
              label={m.display.setting}
              disabled={!vm.can.update.ok}
              checked={display !== null}
              onChange={(on) => update.mutate({ id: vm.id, display: on ? { keyboard: 'us' } : null })}
            />
          }
        />
        {display === null ? null : (
          <SettingRow
            title={m.display.settingKeyboard}
            hint={m.display.settingKeyboardHint}
            control={
              <Select
                aria-label={m.display.settingKeyboard}
                value={display.keyboard}
                disabled={!vm.can.update.ok}
                onChange={(event) =>
                  update.mutate({
                    id: vm.id,
                    display: { ...display, keyboard: keyboardLayoutSchema.parse(event.target.value) },
                  })
                }
                className="w-44"
              >
                {keyboardLayoutSchema.options.map((name) => (
                  <option key={name} value={name}>
                    {m.display.layouts[name]}
                  </option>
                ))}
              </Select>
            }
          />
        )}
        {display === null ? null : (
          <SettingRow
            title={m.display.settingScreens}
            hint={m.display.settingScreensHint}
            control={
              <Select
                aria-label={m.display.settingScreens}
                value={display.screens ?? 1}
                disabled={!vm.can.update.ok}
                onChange={(event) =>
                  update.mutate({
                    id: vm.id,
                    display: { ...display, screens: Number(event.target.value) },
                  })
                }
                className="w-44"
              >
                {Array.from({ length: maxScreens }, (_, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: numbers of screens
                  <option key={index} value={index + 1}>
                    {index + 1}
                  </option>
                ))}
              </Select>
            }
          />
        )}
      </div>
    </Card>
  )
}

function Danger() {
  const { vm, actions } = useVmPage()
  const router = useRouter()
  const [confirming, setConfirming] = useState(false)
  return (
    <Card title={t.danger.title}>
      <div className="divide-y divide-line">
        <VmRebuild />
        <SettingRow
          title={t.danger.delete}
          hint={vm.can.delete.why ?? t.danger.text}
          control={
            <Button
              variant="danger"
              icon={<Trash2 aria-hidden="true" />}
              whyDisabled={vm.can.delete.why}
              onClick={() => setConfirming(true)}
            >
              {m.vms.power.delete}
            </Button>
          }
        />
      </div>
      <VmConfirm
        vm={vm}
        what={confirming ? 'delete' : null}
        actions={actions}
        onClose={() => setConfirming(false)}
        onDeleted={() => router.replace(paths.vms())}
      />
    </Card>
  )
}
