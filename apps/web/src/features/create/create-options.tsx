'use client'
import { keyboardLayoutSchema } from '@hearth/shared/vm-spec'
import type { HostView, ImageView } from '../../data/hooks.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { Checkbox, CodeInput, Field, Input, InputWithUnit, Select } from '../../ui/field.tsx'
import { Fold } from '../../ui/fold.tsx'
import { keyboardLayouts } from '../console/keyboard-layout.ts'
import { type Draft, type DraftProblems, type Figures, hasScreen, maxCount } from './draft.ts'
import { UserDataField } from './user-data-field.tsx'

const t = m.create

/** What one may leave as it is, each with what it is. */
export function CreateOptions({
  image,
  host,
  shape,
  draft,
  problems,
  userDataWhy,
  change,
}: {
  image: ImageView | undefined
  host: HostView | undefined
  shape: Figures
  draft: Draft
  problems: DraftProblems
  userDataWhy: string | null
  change: (part: Partial<Draft>) => void
}) {
  const start = draft.start ? t.startNow : null
  const disk = shape.diskBytes ? bytes(shape.diskBytes) : null
  return (
    <>
      <Fold
        title={t.folds.disk}
        value={[disk, start, draft.startAtBoot ? t.startAtBoot : null].filter(Boolean).join(' · ')}
        open={Boolean(problems.disk)}
      >
        <div className="grid grid-cols-1 gap-5 sm:grid-cols-2">
          {shape.diskBytes === null ? null : (
            <Field
              label={t.diskSize}
              error={problems.disk}
              hint={host?.info ? t.limits.diskMax(bytes(host.info.diskAvailableBytes)) : undefined}
            >
              <InputWithUnit
                unit={t.unitGib}
                inputMode="decimal"
                value={draft.disk}
                placeholder={shape.diskBytes ? String(shape.diskBytes / 2 ** 30) : ''}
                onChange={(event) => change({ disk: event.target.value })}
              />
            </Field>
          )}
          <div className="flex flex-col gap-3">
            <Checkbox
              checked={draft.start}
              onChange={(event) => change({ start: event.target.checked })}
              label={t.startNow}
              hint={t.startNowHint}
            />
            <Checkbox
              checked={draft.startAtBoot}
              onChange={(event) => change({ startAtBoot: event.target.checked })}
              label={t.startAtBoot}
              hint={t.startAtBootHint}
            />
          </div>
        </div>
      </Fold>
      <Fold
        title={t.folds.network}
        value={draft.bridge || (host?.info ? m.vmNetwork.kinds[host.info.network] : '')}
      >
        {host && host.bridges.length > 0 ? (
          <Field
            label={t.folds.network}
            labelHidden
            hint={draft.bridge ? m.bridges.hint : t.networkText}
            className="max-w-[60ch]"
          >
            <Select value={draft.bridge} onChange={(event) => change({ bridge: event.target.value })}>
              <option value="">{m.bridges.own}</option>
              {host.bridges.map((name) => (
                <option key={name} value={name}>
                  {m.bridges.named(name)}
                </option>
              ))}
            </Select>
          </Field>
        ) : (
          <p className="max-w-[60ch] text-ink-2">
            {host?.info?.network === 'passt' ? m.vmNetwork.kinds.passt : t.networkText}
          </p>
        )}
      </Fold>
      {image && hasScreen(image) ? (
        <Fold title={t.folds.keyboard} value={m.display.layouts[draft.keyboard]}>
          <Field label={t.folds.keyboard} labelHidden hint={t.keyboardHint} className="max-w-[60ch]">
            <Select
              value={draft.keyboard}
              onChange={(event) => change({ keyboard: keyboardLayoutSchema.parse(event.target.value) })}
            >
              {keyboardLayouts.map((name) => (
                <option key={name} value={name}>
                  {m.display.layouts[name]}
                </option>
              ))}
            </Select>
          </Field>
        </Fold>
      ) : null}
      {image?.cloudInit ? (
        <Fold
          title={t.folds.cloudInit}
          value={t.userData.chars(draft.userData.trim().length)}
          open={userDataWhy !== null}
        >
          <UserDataField
            text={draft.userData}
            problem={userDataWhy}
            onChange={(userData) => change({ userData })}
          />
        </Fold>
      ) : null}
      <Fold
        title={t.folds.more}
        value={[draft.labels.trim() || t.none, `${draft.count} ×`].join(' · ')}
        open={Boolean(problems.labels || problems.count)}
      >
        <div className="grid grid-cols-1 gap-5 sm:grid-cols-2">
          <Field label={t.labels} error={problems.labels} hint={t.labelsHint}>
            <CodeInput
              value={draft.labels}
              onChange={(event) => change({ labels: event.target.value })}
              placeholder={m.vmSettings.labels.placeholder}
            />
          </Field>
          <Field label={t.count} error={problems.count} hint={t.countHint}>
            <Input
              type="number"
              min={1}
              max={maxCount}
              value={draft.count}
              onChange={(event) => change({ count: event.target.value })}
              className="tnum"
            />
          </Field>
        </div>
      </Fold>
    </>
  )
}
