'use client'
import { FlaskConical, HardDrive } from 'lucide-react'
import type { HostView, VmView } from '../../data/hooks.ts'
import { ago, bytes } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/index.ts'
import { cx } from '../../ui/cx.ts'
import { Notice, Skeleton } from '../../ui/layout.tsx'
import { Meter } from '../../ui/meter.tsx'
import { StatusPill } from '../../ui/status.tsx'
import { Tooltip } from '../../ui/tooltip.tsx'

/** The boxes at a glance: how full they are, and whether they answer. */
export function HostStrip({ hosts, vms }: { hosts: HostView[] | undefined; vms: VmView[] | undefined }) {
  return (
    <section aria-label={m.vms.hosts.label} className="card divide-y divide-line">
      {hosts === undefined ? (
        <div className="flex h-[5.25rem] items-center px-5">
          <Skeleton className="h-9 w-full" />
        </div>
      ) : (
        hosts.map((host) => (
          <HostLine key={host.id} host={host} vms={(vms ?? []).filter((vm) => vm.host.id === host.id)} />
        ))
      )}
    </section>
  )
}

function HostLine({ host, vms }: { host: HostView; vms: VmView[] }) {
  const now = useNow()
  const info = host.info
  const given = vms
    .filter((vm) => vm.lastState !== null && !['stopped', 'suspended', 'crashed'].includes(vm.lastState))
    .reduce((sum, vm) => sum + vm.cpus, 0)
  return (
    <div className="px-5 py-4">
      <div className="grid grid-cols-1 items-center gap-x-8 gap-y-4 lg:grid-cols-[minmax(12rem,1fr)_2.6fr]">
        <div className="flex items-center gap-3">
          <HardDrive className="size-5 shrink-0 text-ink-3" aria-hidden="true" />
          <div className="min-w-0">
            <div className="flex flex-wrap items-center gap-2">
              <span className="truncate font-medium">{host.name}</span>
              {host.online ? (
                <StatusPill tone="ok">{m.vms.hosts.online}</StatusPill>
              ) : (
                <StatusPill tone="away">{m.vms.state.away}</StatusPill>
              )}
              {info?.kind === 'lab' ? (
                <Tooltip text={m.vms.hosts.labHint} side="bottom">
                  <button
                    type="button"
                    className="inline-flex h-6 cursor-help items-center gap-1 rounded-full bg-warn-soft px-2.5 font-medium text-warn text-xs"
                  >
                    <FlaskConical className="size-3" aria-hidden="true" />
                    {m.vms.hosts.lab}
                  </button>
                </Tooltip>
              ) : null}
            </div>
            <p className="truncate text-ink-3 text-xs">
              {host.online || !host.lastSeenAt
                ? (info?.cpuModel ?? '')
                : m.vms.hosts.away(ago(host.lastSeenAt, now, m.common.justNow))}
            </p>
          </div>
        </div>
        {info ? (
          <div className={cx('grid gap-x-8 gap-y-3 sm:grid-cols-3', !host.online && 'opacity-60 grayscale')}>
            <Meter
              label={m.vms.hosts.cpu}
              mayExceed
              value={given / info.cpus}
              text={m.vms.hosts.used(String(given), String(info.cpus))}
            />
            <Meter
              label={m.vms.hosts.memory}
              value={1 - info.memoryAvailableBytes / info.memoryBytes}
              text={m.vms.hosts.used(
                bytes(info.memoryBytes - info.memoryAvailableBytes),
                bytes(info.memoryBytes),
              )}
            />
            <Meter
              label={m.vms.hosts.disk}
              value={1 - info.diskAvailableBytes / info.diskBytes}
              text={m.vms.hosts.used(bytes(info.diskBytes - info.diskAvailableBytes), bytes(info.diskBytes))}
            />
          </div>
        ) : null}
      </div>
      {host.online ? null : <p className="mt-3 text-13 text-ink-2">{m.vms.hosts.awayText}</p>}
      {host.differences.length > 0 ? (
        <div className="mt-3">
          <Notice tone="warn" title={host.differences[0]}>
            {host.differences.slice(1).join(' ')}
          </Notice>
        </div>
      ) : null}
    </div>
  )
}
