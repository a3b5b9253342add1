'use client'
import { Globe, Network, ShieldCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import { useHosts } from '../../data/hooks.ts'
import { m } from '../../messages/index.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { Card, Fact, Facts } from '../../ui/layout.tsx'
import { FirewallCard } from './firewall-card.tsx'
import { PortForwardsCard } from './port-forwards-card.tsx'
import { useVmPage } from './vm-context.ts'

const t = m.vmNetwork

/** How the VM is connected, and who reaches it. */
export function VmNetworkTab() {
  const { vm } = useVmPage()
  const { hosts } = useHosts()
  const info = hosts?.find(({ id }) => id === vm.host.id)?.info
  const kind = info?.network
  const name = `${vm.name}.home.arpa`
  return (
    <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-2">
      <div className="flex min-w-0 flex-col gap-5 lg:col-span-2">
        <PortForwardsCard host={info ?? null} />
      </div>
      <FirewallCard kind={kind} />
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
            {kind ? <Fact label={t.kind}>{t.kinds[kind]}</Fact> : null}
          </Facts>
        </Card>
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
      </div>
    </div>
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
