'use client'
import { Globe, Network, ShieldCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import { type HostView, useHosts } from '../../data/hooks.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { Field, Select } from '../../ui/field.tsx'
import { Card, Fact, Facts, Notice } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { FirewallCard } from './firewall-card.tsx'
import { PortForwardsCard } from './port-forwards-card.tsx'
import { useVmUpdate } from './use-vm-update.ts'
import { useVmPage } from './vm-context.ts'

const t = m.vmNetwork

/** How the VM is connected, and who reaches it. */
export function VmNetworkTab() {
  const { vm } = useVmPage()
  const { hosts } = useHosts()
  const host = hosts?.find(({ id }) => id === vm.host.id)
  const info = host?.info
  const kind = info?.network
  const name = `${vm.name}.home.arpa`
  return (
    <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-2">
      {vm.bridge === null ? (
        <>
          <div className="flex min-w-0 flex-col gap-5 lg:col-span-2">
            <PortForwardsCard host={info ?? null} />
          </div>
          <FirewallCard kind={kind} />
        </>
      ) : (
        <Notice tone="info" title={m.bridges.member(vm.bridge)}>
          {m.bridges.memberText}
        </Notice>
      )}
      <div className="flex min-w-0 flex-col gap-5">
        <Card title={t.interface} flush>
          <Facts>
            <Fact label={t.addresses}>
              {vm.addresses.length === 0 ? (
                <span className="text-ink-3">{vm.state === 'running' ? m.vms.noAddress : t.whenRunning}</span>
              ) : (
                vm.addresses.map((address) => (
                  <Copyable key={address} text={address} label={m.vms.copyAddress} />
                ))
              )}
            </Fact>
            {kind === 'nat' ? (
              <Fact label={t.name}>
                <Copyable text={name} label={m.common.copy(name)} />
              </Fact>
            ) : null}
            <Fact label={t.mac}>
              <Copyable text={vm.mac} label={m.common.copy(vm.mac)} />
            </Fact>
            <Fact label={t.device}>{t.deviceText}</Fact>
            <Fact label={t.kind}>
              <NetworkChoice host={host} />
            </Fact>
          </Facts>
        </Card>
        {vm.bridge === null ? (
          <Card title={t.reach}>
            <ul className="flex flex-col gap-4">
              <Reach icon={<Globe />} title={t.out.title} text={t.out.text} />
              <Reach
                icon={<Network />}
                title={t.between.title}
                text={kind === 'passt' ? t.between.passt : t.between.nat}
              />
              <Reach
                icon={<ShieldCheck />}
                title={t.in.title}
                text={kind === 'passt' ? t.in.passt : t.in.nat}
              />
            </ul>
          </Card>
        ) : null}
      </div>
    </div>
  )
}

/** Which network it is on; a choice where the box has opened others. */
function NetworkChoice({ host }: { host: HostView | undefined }) {
  const { vm } = useVmPage()
  const { update } = useVmUpdate()
  const kind = host?.info?.network
  const names = [...new Set([...(host?.bridges ?? []), ...(vm.bridge ? [vm.bridge] : [])])]
  if (names.length === 0) return kind ? t.kinds[kind] : null
  return (
    <Field label={m.bridges.change} labelHidden hint={vm.can.resize.why ?? undefined}>
      <Select
        value={vm.bridge ?? ''}
        disabled={!vm.can.resize.ok || update.isPending}
        onChange={(event) =>
          update.mutate(
            { id: vm.id, bridge: event.target.value || null, idempotencyKey: intentKey() },
            { onSuccess: () => toast.success(m.bridges.changed(vm.name)) },
          )
        }
      >
        <option value="">{m.bridges.own}</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {m.bridges.named(name)}
          </option>
        ))}
      </Select>
    </Field>
  )
}

function Copyable({ text, label }: { text: string; label: string }) {
  return (
    <span className="flex items-center gap-1">
      <span className="min-w-0 break-all font-mono text-13">{text}</span>
      <CopyButton text={text} label={label} copiedLabel={m.common.copied} className="-my-1" />
    </span>
  )
}

function Reach({ icon, title, text }: { icon: ReactNode; title: string; text: string }) {
  return (
    <li className="flex gap-3">
      <span aria-hidden="true" className="mt-0.5 text-ink-3 [&_svg]:size-4.5">
        {icon}
      </span>
      <div className="min-w-0">
        <p className="font-medium text-13">{title}</p>
        <p className="text-13 text-ink-3">{text}</p>
      </div>
    </li>
  )
}
