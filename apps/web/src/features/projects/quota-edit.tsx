'use client'
import { isBytes, type QuotaKey, quotaKeys } from '@hearth/shared/quota'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { errorMessage } from '../../data/errors.ts'
import type { ProjectView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Input, InputWithUnit, Select } from '../../ui/field.tsx'
import { Notice } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { fromField, toField } from './amounts.ts'

const t = m.projects.quota

type Kind = 'default' | 'own' | 'unlimited'
interface Row {
  key: QuotaKey
  kind: Kind
  text: string
}

function rowsOf(project: ProjectView): Row[] {
  return quotaKeys.map((key) => {
    const line = project.quota.find((one) => one.key === key)
    const limit = line?.limit ?? null
    const kind: Kind = line?.isDefault ? 'default' : limit === null ? 'unlimited' : 'own'
    return { key, kind, text: limit === null ? '' : toField(key, limit) }
  })
}

/** The limits of a project, all at once; what is not changed is not written. */
export function QuotaEdit({ project, onClose }: { project: ProjectView; onClose: () => void }) {
  const set = useMutation(useTRPC().quota.set.mutationOptions())
  const [before] = useState(() => rowsOf(project))
  const [rows, setRows] = useState(before)
  const [tried, setTried] = useState(false)
  const change = (key: QuotaKey, part: Partial<Row>) =>
    setRows((was) => was.map((row) => (row.key === key ? { ...row, ...part } : row)))
  const wrong = (row: Row) => row.kind === 'own' && fromField(row.key, row.text) === null

  function submit(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    if (set.isPending || rows.some(wrong)) return
    const limits: Partial<Record<QuotaKey, number | 'unlimited' | null>> = {}
    for (const [index, row] of rows.entries()) {
      const was = before[index]
      if (was && was.kind === row.kind && was.text === row.text) continue
      limits[row.key] =
        row.kind === 'own' ? fromField(row.key, row.text) : row.kind === 'default' ? null : row.kind
    }
    set.mutate(
      { projectId: project.id, limits },
      {
        onSuccess: () => {
          toast.success(t.saved)
          onClose()
        },
      },
    )
  }

  return (
    <Dialog
      open
      wide
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.editTitle(project.name)}
      description={t.editText}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" form="quota-edit" variant="primary" busy={set.isPending}>
            {m.common.save}
          </Button>
        </>
      }
    >
      <form id="quota-edit" onSubmit={submit} noValidate className="flex flex-col gap-3">
        {set.error ? <Notice tone="bad" title={errorMessage(set.error, m.entry.signIn.unreachable)} /> : null}
        {rows.map((row) => {
          const label = t.keys[row.key] ?? row.key
          const was = before.find(({ key }) => key === row.key)
          const placeholder =
            row.kind === 'default' && was?.kind === 'default'
              ? t.defaultIs(was.text || t.none)
              : t.choice[row.kind]
          const shared = {
            value: row.kind === 'own' ? row.text : '',
            inputMode: 'decimal' as const,
            autoComplete: 'off',
            onChange: (event: { target: { value: string } }) =>
              change(row.key, { kind: 'own', text: event.target.value }),
          }
          return (
            <div key={row.key} className="grid grid-cols-[1fr_9.5rem] items-start gap-3">
              <Field label={label} error={tried && wrong(row) ? t.needed : null}>
                {isBytes(row.key) ? (
                  <InputWithUnit unit={t.unitGib} {...shared} placeholder={placeholder} />
                ) : (
                  <Input {...shared} placeholder={placeholder} />
                )}
              </Field>
              <Field label={t.choiceFor(label)} labelHidden className="pt-6.5">
                <Select
                  value={row.kind}
                  onChange={(event) => change(row.key, { kind: event.target.value as Kind })}
                >
                  {(['default', 'own', 'unlimited'] as const).map((kind) => (
                    <option key={kind} value={kind}>
                      {t.choice[kind]}
                    </option>
                  ))}
                </Select>
              </Field>
            </div>
          )
        })}
      </form>
    </Dialog>
  )
}
