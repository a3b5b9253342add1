'use client'
import { isBytes, type QuotaKey } from '@hearth/shared/quota'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { HomeSettings } from '../../../server/views/index.ts'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Field, Input, InputWithUnit } from '../../ui/field.tsx'
import { Card, Notice, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { fromField, toField } from '../projects/amounts.ts'
import { LoadError } from '../shell/load-error.tsx'
import { BridgesCard } from './bridges-card.tsx'

const t = m.projects.home

/** What holds for the whole home; for its administrators. */
export function HomeSettingsPage() {
  const { data, error } = useQuery(useTRPC().home.get.queryOptions())
  return (
    <div className="flex max-w-3xl flex-col gap-5">
      <PageHeader title={t.title} />
      {error && !data ? <LoadError error={error} /> : null}
      {!data && !error ? <Skeleton className="h-72 rounded-card!" /> : null}
      {data ? <SettingsForm settings={data} /> : null}
      <BridgesCard />
    </div>
  )
}

function SettingsForm({ settings }: { settings: HomeSettings }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const update = useMutation(trpc.home.update.mutationOptions())
  const [name, setName] = useState(settings.name)
  const [percent, setPercent] = useState(String(settings.memoryPercent))
  const [limits, setLimits] = useState(() =>
    settings.quota.map(({ key, limit }) => ({ key, text: limit === null ? '' : toField(key, limit) })),
  )
  const [tried, setTried] = useState(false)
  const refused = update.error ? fieldErrors(update.error) : {}
  // Empty is no limit.
  const wrong = (key: QuotaKey, text: string) => text.trim() !== '' && fromField(key, text) === null

  function submit(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    if (update.isPending || !name.trim() || limits.some(({ key, text }) => wrong(key, text))) return
    const quota = Object.fromEntries(
      limits.map(({ key, text }) => [
        key,
        text.trim() === '' ? ('unlimited' as const) : fromField(key, text)!,
      ]),
    )
    update.mutate(
      { name: name.trim(), memoryPercent: Number(percent) || 0, quota },
      {
        onSuccess: () => {
          toast.success(t.saved)
          void queries.invalidateQueries({ queryKey: trpc.session.get.queryKey() })
        },
      },
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      {update.error && Object.keys(refused).length === 0 ? (
        <Notice tone="bad" title={errorMessage(update.error, m.entry.signIn.unreachable)} />
      ) : null}
      <Card title={m.projects.settings.title}>
        <div className="flex max-w-lg flex-col gap-4">
          <Field label={t.name} error={tried && !name.trim() ? m.entry.setup.homeNeeded : refused.name}>
            <Input value={name} onChange={(event) => setName(event.target.value)} maxLength={100} />
          </Field>
          <Field label={t.memory} hint={t.memoryHint} error={refused.memoryPercent}>
            <InputWithUnit
              unit="%"
              inputMode="numeric"
              value={percent}
              onChange={(event) => setPercent(event.target.value)}
            />
          </Field>
        </div>
        <h3 className="mt-6 border-line border-t pt-5 font-semibold text-sm">{t.defaults}</h3>
        <p className="mt-0.5 mb-4 text-13 text-ink-3">{t.defaultsHint}</p>
        <div className="grid grid-cols-1 gap-4 sm:grid-cols-3">
          {limits.map(({ key, text }) => {
            const shared = {
              value: text,
              inputMode: 'decimal' as const,
              placeholder: m.projects.quota.none,
              onChange: (event: { target: { value: string } }) =>
                setLimits((was) =>
                  was.map((row) => (row.key === key ? { key, text: event.target.value } : row)),
                ),
            }
            return (
              <Field
                key={key}
                label={m.projects.quota.keys[key]}
                error={tried && wrong(key, text) ? m.projects.quota.needed : null}
              >
                {isBytes(key) ? (
                  <InputWithUnit unit={m.projects.quota.unitGib} {...shared} />
                ) : (
                  <Input {...shared} />
                )}
              </Field>
            )
          })}
        </div>
        <div className="mt-6">
          <Button type="submit" variant="primary" busy={update.isPending}>
            {t.save}
          </Button>
        </div>
      </Card>
    </form>
  )
}
