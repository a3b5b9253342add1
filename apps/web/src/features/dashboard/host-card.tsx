'use client'
import { FlaskConical, HardDrive } from 'lucide-react'
import type { ReactNode } from 'react'
import type { HostView, VmView } from '../../data/hooks.ts'
import { ago, bytes, duration, number, percent } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { cx } from '../../ui/cx.ts'
import { Ring } from '../../ui/gauge.tsx'
import { Skeleton } from '../../ui/layout.tsx'
import { StatusPill } from '../../ui/status.tsx'
import type { HostFigures } from './use-host-figures.ts'

const t = m.dashboard

/** One box: how it is and how full; while it is away, how it was, paled. */
export function HostCard({
  host,
  vms,
  figures,
}: {
  host: HostView
  /** All that are on it; undefined for a person who is not shown them all. */
  vms: readonly VmView[] | undefined
  figures: HostFigures | undefined
}) {
  const now = useNow()
  const { info } = host
  const given = vms && t.given(cpusInUse(vms))
  return (
    <li className="card p-5">
      <div className="flex items-center gap-3">
        <HardDrive className="size-5 shrink-0 text-ink-3" aria-hidden="true" />
        <div className="min-w-0 flex-1">
          <h3 className="flex flex-wrap items-center gap-2 font-semibold">
            <span className="truncate">{host.name}</span>
            {info?.kind === 'lab' ? (
              <Badge tone="warn" icon={<FlaskConical aria-hidden="true" />}>
                {m.vms.hosts.lab}
              </Badge>
            ) : null}
          </h3>
          <p className="truncate text-13 text-ink-3">
            {[info?.cpuModel, info && now ? t.up(duration(now - new Date(info.bootedAt).getTime())) : null]
              .filter(Boolean)
              .join(' · ')}
          </p>
        </div>
        <StatusPill tone={host.online ? 'ok' : 'away'}>
          {host.online
            ? m.vms.hosts.online
            : host.lastSeenAt
              ? m.vms.hosts.away(ago(host.lastSeenAt, now, m.common.justNow))
              : m.vms.state.away}
        </StatusPill>
      </div>
      {info ? (
        <ul
          className={cx(
            'mt-5 grid grid-cols-2 gap-x-4 gap-y-5 xl:grid-cols-4',
            !host.online && 'opacity-60 grayscale',
          )}
        >
          <Figure
            label={t.cpu}
            part={figures?.cpu == null ? null : figures.cpu / info.cpus}
            value={
              !figures ? (
                <Skeleton className="h-3 w-7" />
              ) : figures.cpu === null ? (
                '–'
              ) : (
                percent(figures.cpu / info.cpus)
              )
            }
            text={
              figures?.cpu == null ? (given ?? t.unknown) : t.cores(number(figures.cpu), number(info.cpus))
            }
            hint={figures?.cpu == null ? undefined : given}
          />
          <Figure
            label={t.memory}
            part={1 - info.memoryAvailableBytes / info.memoryBytes}
            value={percent(1 - info.memoryAvailableBytes / info.memoryBytes)}
            text={t.of(bytes(info.memoryBytes - info.memoryAvailableBytes), bytes(info.memoryBytes))}
            hint={t.free(bytes(info.memoryAvailableBytes))}
          />
          <Figure
            label={t.disk}
            part={1 - info.diskAvailableBytes / info.diskBytes}
            value={percent(1 - info.diskAvailableBytes / info.diskBytes)}
            text={t.of(bytes(info.diskBytes - info.diskAvailableBytes), bytes(info.diskBytes))}
            hint={t.free(bytes(info.diskAvailableBytes))}
          />
          <Figure
            label={t.temperature}
            part={figures?.temperature == null ? null : figures.temperature / 100}
            value={
              !figures ? (
                <Skeleton className="h-3 w-7" />
              ) : figures.temperature === null ? (
                '–'
              ) : (
                `${Math.round(figures.temperature)}°`
              )
            }
            text={figures?.temperature == null ? t.unknown : t.celsius(Math.round(figures.temperature))}
          />
        </ul>
      ) : (
        <Skeleton className="mt-5 h-18" />
      )}
    </li>
  )
}

function Figure({
  label,
  part,
  value,
  text,
  hint,
}: {
  label: string
  part: number | null
  value: ReactNode
  text: string
  hint?: string | undefined
}) {
  return (
    <li className="flex items-center gap-3">
      <Ring label={label} value={part} size={64}>
        {value}
      </Ring>
      <div className="min-w-0">
        <p className="font-medium text-13">{label}</p>
        <p className="tnum text-ink-2 text-xs leading-4.5">{text}</p>
        {hint ? <p className="tnum text-ink-3 text-xs leading-4.5">{hint}</p> : null}
      </div>
    </li>
  )
}

function cpusInUse(vms: readonly VmView[]): number {
  return vms
    .filter((vm) => vm.lastState !== null && !['stopped', 'suspended', 'crashed'].includes(vm.lastState))
    .reduce((sum, vm) => sum + vm.cpus, 0)
}
