'use client'
import type { HostInfo } from '@hearth/shared/agent-protocol'
import {
  type Firewall,
  type FirewallSource,
  firewallSources,
  formatAllowedPorts,
  parseAllowedPorts,
} from '@hearth/shared/network'
import { useState } from 'react'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { CodeInput, Field } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { useVmUpdate } from './use-vm-update.ts'
import { useVmPage } from './vm-context.ts'

const t = m.firewall

interface Draft {
  from: FirewallSource
  which: 'all' | 'some'
  text: string
}

const draftOf = ({ from, ports }: Firewall): Draft => ({
  from,
  which: ports === null ? 'all' : 'some',
  text: formatAllowedPorts(ports ?? [{ protocol: 'tcp', first: 22, last: 22 }]),
})

/** Who may open connections to the VM, and to which of its ports. */
export function FirewallCard({ kind }: { kind: HostInfo['network'] | undefined }) {
  const { vm } = useVmPage()
  const { update, changeUndoably } = useVmUpdate()
  const [edited, setEdited] = useState<Draft>()
  const saved = draftOf(vm.firewall)
  const draft = edited ?? saved
  const change = (part: Partial<Draft>) => setEdited({ ...draft, ...part })
  const ports = draft.which === 'all' ? null : parseAllowedPorts(draft.text)
  const problem = ports === undefined ? t.problem : null
  const same =
    draft.from === saved.from &&
    draft.which === saved.which &&
    (draft.which === 'all' || draft.text === saved.text)
  const why = vm.can.update.why ?? problem ?? (same ? t.nothing : null)
  return (
    <Card title={t.title}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (why !== null || ports === undefined) return
          const before = vm.firewall
          changeUndoably(vm.id, { firewall: { from: draft.from, ports } }, t.saved, () => ({
            firewall: before,
          }))
          setEdited(undefined)
        }}
      >
        <div className="flex flex-col items-start gap-2">
          <p className="font-medium text-13">{t.from}</p>
          <Segmented
            label={t.from}
            value={draft.from}
            options={firewallSources
              .filter((from) => kind !== 'passt' || from !== 'home' || draft.from === 'home')
              .map((value) => ({ value, label: t.sources[value] }))}
            onChange={(from) => change({ from })}
          />
          <p className="text-13 text-ink-3">{t.hints[draft.from]}</p>
        </div>
        {draft.from === 'nobody' || kind === 'passt' ? null : (
          <div className="flex flex-col items-start gap-2">
            <p className="font-medium text-13">{t.ports}</p>
            <Segmented
              label={t.ports}
              value={draft.which}
              options={[
                { value: 'all', label: t.all },
                { value: 'some', label: t.some },
              ]}
              onChange={(which) => change({ which })}
            />
            {draft.which === 'some' ? (
              <Field label={t.list} labelHidden hint={t.listHint} error={problem} className="w-full">
                <CodeInput value={draft.text} onChange={(event) => change({ text: event.target.value })} />
              </Field>
            ) : null}
          </div>
        )}
        <p className="text-13 text-ink-3">{kind === 'passt' ? t.passt : t.box}</p>
        <div>
          <Button type="submit" variant="primary" busy={update.isPending} whyDisabled={why}>
            {t.save}
          </Button>
        </div>
      </form>
    </Card>
  )
}
