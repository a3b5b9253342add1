'use client'
import { useMutation } from '@tanstack/react-query'
import { type HostView, useHosts } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { Card } from '../../ui/layout.tsx'
import { Switch } from '../../ui/switch.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { SettingRow } from '../vms/setting-row.tsx'

const t = m.bridges

/** Which networks of its own a box shares with VMs. */
export function BridgesCard() {
  const { hosts } = useHosts()
  return hosts?.map((host) => <HostBridges key={host.id} host={host} />)
}

function HostBridges({ host }: { host: HostView }) {
  const set = useMutation(
    useTRPC().host.setBridges.mutationOptions({
      onError: tellRefusal,
    }),
  )
  const open = set.isPending ? set.variables.bridges : host.bridges
  const names = [...new Set([...(host.info?.bridges ?? []), ...host.bridges])].sort()
  return (
    <Card title={t.title(host.name)}>
      <p className="-mt-1 mb-4 max-w-[68ch] text-13 text-ink-3">{t.text}</p>
      {names.length === 0 ? (
        <p className="text-13 text-ink-2">{host.info?.network === 'passt' ? t.passt : t.none}</p>
      ) : (
        <div className="divide-y divide-line">
          {names.map((name) => (
            <SettingRow
              key={name}
              title={name}
              hint={host.info?.bridges?.includes(name) ? t.switchHint : t.gone}
              control={
                <Switch
                  label={t.open(name)}
                  checked={open.includes(name)}
                  onChange={(on) =>
                    set.mutate({
                      id: host.id,
                      bridges: on ? [...open, name] : open.filter((other) => other !== name),
                    })
                  }
                />
              }
            />
          ))}
        </div>
      )}
    </Card>
  )
}
