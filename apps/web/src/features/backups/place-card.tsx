'use client'
import { type FormEvent, useState } from 'react'
import type { BackupsView } from '../../../server/views/index.ts'
import { errorMessage } from '../../data/errors.ts'
import { useHosts } from '../../data/hooks.ts'
import { bytes, dateTime } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { CodeInput, Field, Input } from '../../ui/field.tsx'
import { Card, Notice } from '../../ui/layout.tsx'
import { Meter } from '../../ui/meter.tsx'
import { Switch } from '../../ui/switch.tsx'
import { toast } from '../../ui/toast.tsx'
import { draftOf, type PlanDraft, PlanFields, planOf } from '../vms/plan-fields.tsx'
import { SettingRow } from '../vms/setting-row.tsx'
import { newRecoveryKey } from './recovery-key.ts'
import type { Backups } from './use-backups.ts'

const t = m.backups.place
type Host = BackupsView['hosts'][number]
interface Place {
  host: Host
  timezone: string
  store: Backups
  admin: boolean
}

/** Where the backups of one host go, and when: everybody sees it, an administrator decides it. */
export function PlaceCard({ host, timezone, store, admin }: Place) {
  const { target } = host
  const lab = useHosts().hosts?.find(({ id }) => id === host.id)?.info?.kind === 'lab'
  return (
    <>
      <Card title={t.title(host.name)}>
        <div className="flex flex-col gap-4">
          {target?.state === 'ready' ? (
            <Meter
              label={t.disk}
              value={target.totalBytes === 0 ? 0 : 1 - target.availableBytes / target.totalBytes}
              text={t.free(bytes(target.availableBytes), bytes(target.totalBytes))}
            />
          ) : null}
          {target?.encrypted ? <p className="text-13 text-ink-3">{t.encrypted}</p> : null}
          {target?.problem ? <Notice tone="bad" title={target.problem} /> : null}
          {target?.sameDisk ? <Notice tone="warn" title={t.sameDisk} /> : null}
          {target?.inMemory ? (
            <Notice tone="bad" title={t.inMemory}>
              {lab ? t.inLab : t.inMemoryText}
            </Notice>
          ) : null}
          {!target && !admin ? <p className="text-13 text-ink-3">{t.none}</p> : null}
          {admin ? <FolderForm host={host} store={store} /> : null}
        </div>
      </Card>
      {target && (admin || host.plan) ? (
        <PlanCard host={host} timezone={timezone} store={store} admin={admin} />
      ) : null}
    </>
  )
}

function FolderForm({ host, store }: { host: Host; store: Backups }) {
  const saved = host.target?.folder ?? ''
  const [edited, setEdited] = useState<string | null>(null)
  const [leaving, setLeaving] = useState(false)
  /** null: nothing is encrypted. */
  const [key, setKey] = useState<string | null>(null)
  const [noted, setNoted] = useState(false)
  const folder = edited ?? saved
  const changes = folder.trim() !== '' && folder.trim() !== saved
  const why = !host.online
    ? t.away
    : !changes
      ? m.vmSettings.nothingChanged
      : key !== null && !noted
        ? t.keyNotNoted
        : null
  const { target } = store
  const save = (wanted: string | null) =>
    target.mutate(
      { hostId: host.id, folder: wanted, ...(wanted === null || key === null ? {} : { key }) },
      {
        onSuccess: () => {
          setEdited(null)
          setLeaving(false)
          setKey(null)
          setNoted(false)
          toast.success(wanted === null ? t.left : t.saved)
        },
      },
    )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (why === null) save(folder.trim())
  }
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <Field
        label={t.folder}
        hint={t.folderHint}
        error={target.error ? errorMessage(target.error, m.entry.signIn.unreachable) : null}
      >
        <CodeInput
          value={folder}
          placeholder="/mnt/backup"
          onChange={(event) => {
            target.reset()
            setEdited(event.target.value)
          }}
        />
      </Field>
      {changes ? (
        <SettingRow
          title={t.encrypt}
          hint={t.encryptHint}
          control={
            <Switch
              label={t.encrypt}
              checked={key !== null}
              onChange={(on) => setKey(on ? newRecoveryKey() : null)}
            />
          }
        />
      ) : null}
      {changes && key !== null ? (
        <>
          <Field label={t.key} hint={t.keyHint}>
            <Input
              value={key}
              autoComplete="off"
              spellCheck={false}
              className="font-mono"
              onChange={(event) => {
                target.reset()
                setKey(event.target.value)
              }}
            />
          </Field>
          <SettingRow
            title={t.keyNoted}
            hint={t.keyNotedHint}
            control={<Switch label={t.keyNoted} checked={noted} onChange={setNoted} />}
          />
        </>
      ) : null}
      <div className="flex justify-end gap-2">
        {host.target ? <Button onClick={() => setLeaving(true)}>{t.leave}</Button> : null}
        <Button
          type="submit"
          variant={host.target ? 'secondary' : 'primary'}
          busy={target.isPending}
          whyDisabled={why}
        >
          {t.save}
        </Button>
      </div>
      {leaving ? (
        <Confirm
          title={t.leaveTitle}
          text={t.leaveText}
          action={t.leave}
          cancel={m.common.cancel}
          closeLabel={m.common.close}
          danger
          busy={target.isPending}
          error={target.error ? errorMessage(target.error, m.entry.signIn.unreachable) : null}
          onConfirm={() => save(null)}
          onClose={() => setLeaving(false)}
        />
      ) : null}
    </form>
  )
}

function PlanCard({ host, timezone, store, admin }: Place) {
  const now = useNow()
  const [edited, setEdited] = useState<PlanDraft | null>(null)
  const saved = draftOf(host.plan)
  const draft = edited ?? saved
  const plan = planOf(draft)
  const unchanged = JSON.stringify(draft) === JSON.stringify(saved)
  const next = host.plan && now ? m.snapshots.schedule.next(dateTime(host.plan.nextAt), timezone) : t.planHint
  const why = unchanged
    ? m.vmSettings.nothingChanged
    : draft.every !== 'never' && plan === null
      ? m.snapshots.schedule.problem
      : null
  return (
    <Card title={t.plan}>
      {admin ? (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (why !== null) return
            store.plan.mutate(
              { hostId: host.id, plan },
              {
                onSuccess: () => {
                  setEdited(null)
                  toast.success(plan ? t.planSaved : t.planOff)
                },
              },
            )
          }}
          className="flex flex-col gap-4"
        >
          <PlanFields draft={draft} label={t.every} onChange={setEdited} />
          <div className="flex flex-wrap items-center justify-between gap-3">
            <p className="min-w-0 flex-1 basis-40 text-13 text-ink-3">{next}</p>
            <Button type="submit" busy={store.plan.isPending} whyDisabled={why}>
              {t.save}
            </Button>
          </div>
        </form>
      ) : (
        <p className="text-13 text-ink-2">{next}</p>
      )}
    </Card>
  )
}
