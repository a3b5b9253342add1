'use client'
import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import { isLabelKey, isLabelValue } from '../../../server/views/label.ts'
import { m } from '../../messages/all.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { CodeInput, Field } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { useVmUpdate } from './use-vm-update.ts'
import { useVmPage } from './vm-context.ts'

const t = m.vmSettings.labels

/** Words to find and group VMs by; `key=value`, as the API has them. */
export function VmLabelsForm() {
  const { vm } = useVmPage()
  const { update, changeUndoably } = useVmUpdate()
  const [text, setText] = useState('')
  const entries = Object.entries(vm.labels)
  const [key = '', ...rest] = text.trim().split('=')
  const value = rest.join('=')
  const problem = text.trim() === '' || (isLabelKey(key) && isLabelValue(value)) ? null : t.problem
  function remove(name: string) {
    const { [name]: had = '', ...others } = vm.labels
    changeUndoably(vm.id, { labels: others }, t.removed(had === '' ? name : `${name}=${had}`), (now) => ({
      labels: { ...now.labels, [name]: had },
    }))
  }
  return (
    <Card title={t.title}>
      {entries.length === 0 ? (
        <p className="text-13 text-ink-3">{t.empty}</p>
      ) : (
        <ul className="flex flex-wrap gap-2">
          {entries.map(([name, content]) => (
            <li
              key={name}
              className="inline-flex min-w-0 items-center gap-1 rounded-full border border-line bg-sunken py-0.5 pr-1 pl-3 font-mono text-13"
            >
              <span className="min-w-0 truncate">
                {name}
                {content === '' ? '' : <span className="text-ink-3">=</span>}
                {content}
              </span>
              <IconButton
                label={t.remove(name)}
                whyDisabled={vm.can.label.why}
                className="size-6! rounded-full! [&_svg]:size-3.5!"
                onClick={() => remove(name)}
              >
                <X aria-hidden="true" />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      <form
        className="mt-4 flex items-start gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          if (key === '' || problem !== null || !vm.can.label.ok) return
          update.mutate({ id: vm.id, labels: { ...vm.labels, [key]: value } })
          setText('')
        }}
      >
        <Field label={t.add} labelHidden error={problem} className="flex-1">
          <CodeInput
            value={text}
            placeholder={t.placeholder}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
        <Button
          type="submit"
          icon={<Plus aria-hidden="true" />}
          whyDisabled={vm.can.label.why ?? (key === '' ? t.typeFirst : problem)}
          className="h-9.5"
        >
          {t.add}
        </Button>
      </form>
    </Card>
  )
}
