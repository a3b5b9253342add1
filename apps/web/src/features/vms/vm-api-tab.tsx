'use client'
import { useSyncExternalStore } from 'react'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { CopyLine } from '../../ui/copy.tsx'
import { Card } from '../../ui/layout.tsx'
import { TextLink } from '../shell/text-link.tsx'
import { useVmPage } from './vm-context.ts'

const t = m.vms.page.api

/** The same things by the public API, ready to be pasted. */
export function VmApiTab() {
  const { vm } = useVmPage()
  const origin = useSyncExternalStore(
    () => () => {},
    () => window.location.origin,
    () => '',
  )
  const base = `${origin}/api/v1/servers/${vm.id}`
  const auth = `-H "Authorization: Bearer $HEARTH_TOKEN"`
  const json = `-H 'Content-Type: application/json'`
  const calls = [
    { label: t.get, commands: [`curl ${auth} ${base}`] },
    {
      label: t.power,
      commands: ['poweron', 'shutdown', 'reboot', 'poweroff', 'reset'].map(
        (op) => `curl -X POST ${auth} ${base}/actions/${op}`,
      ),
    },
    {
      label: t.settings,
      commands: [
        `curl -X PUT ${auth} ${json} -d '{"name": "${vm.name}"}' ${base}`,
        `curl -X POST ${auth} ${json} -d '{"server_type": "medium"}' ${base}/actions/change_type`,
        `curl -X POST ${auth} ${json} -d '{"delete": true, "rebuild": true}' ${base}/actions/change_protection`,
      ],
    },
    {
      label: t.disks,
      commands: [
        `curl -X POST ${auth} ${json} -d '{"name": "${vm.name}-data", "size": 10, "format": "ext4", "server": ${vm.id}}' ${origin}/api/v1/volumes`,
        `curl -X POST ${auth} ${json} -d '{"name": "before the upgrade"}' ${base}/snapshots`,
        `curl ${auth} ${base}/snapshots`,
      ],
    },
    {
      label: t.metrics,
      commands: [
        `curl ${auth} "${base}/metrics?type=cpu,disk,network&start=$(date -u -d '1 hour ago' +%FT%TZ)&end=$(date -u +%FT%TZ)"`,
      ],
    },
    { label: t.delete, commands: [`curl -X DELETE ${auth} ${base}`] },
  ]
  return (
    <Card title={t.title}>
      <p className="max-w-[70ch] text-ink-2">
        {t.text} <TextLink href={paths.tokens()}>{t.token}</TextLink>
      </p>
      <div className="mt-5 flex flex-col gap-5">
        {calls.map((call) => (
          <div key={call.label}>
            <h3 className="mb-1.5 font-medium text-13">{call.label}</h3>
            <div className="flex flex-col gap-1.5">
              {call.commands.map((command) => (
                <CopyLine
                  key={command}
                  text={command}
                  prompt="$"
                  label={m.common.copy(command)}
                  copiedLabel={m.common.copied}
                />
              ))}
            </div>
          </div>
        ))}
      </div>
      <p className="mt-5 text-13 text-ink-3">
        {t.docs} <TextLink href={paths.apiReference()}>{m.api.title}</TextLink>
      </p>
    </Card>
  )
}
