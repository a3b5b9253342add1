'use client'
import { ShieldCheck } from 'lucide-react'
import Link from 'next/link'
import type { ReactNode } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { ago, bytes, duration } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { LabelChip } from '../../ui/badge.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { cx } from '../../ui/cx.ts'
import { ImageMark } from '../../ui/image-mark.tsx'
import { ProgressBar } from '../../ui/meter.tsx'
import { StatusPill } from '../../ui/status.tsx'
import { Td, Tr } from '../../ui/table.tsx'
import { Tooltip } from '../../ui/tooltip.tsx'
import type { Column } from './list-view.ts'
import { ScreenThumbnail, useScreenPicture } from './screen-thumbnail.tsx'
import { useVmsNow } from './use-vms-now.ts'
import { VmRowMenu } from './vm-menu.tsx'
import { failedAction, runningAction, vmStatus } from './vm-status.ts'

interface RowProps {
  vm: VmView
  columns: readonly Column[]
  selected: boolean
  onSelect: (on: boolean, range: boolean) => void
}

export function VmRow({ vm, columns, selected, onSelect }: RowProps) {
  return (
    <Tr selected={selected}>
      <Td className="relative z-10 pr-0">
        <SelectBox vm={vm} selected={selected} onSelect={onSelect} />
      </Td>
      {columns.map((column) => (
        <Td key={column} className={column === 'name' ? 'w-[30%] pl-2!' : 'text-13 text-ink-2'}>
          <Cell vm={vm} column={column} withImage={!columns.includes('image')} />
        </Td>
      ))}
      <Td align="end" className="relative z-10 pr-3!">
        <VmRowMenu vm={vm} />
      </Td>
    </Tr>
  )
}

function SelectBox({
  vm,
  selected,
  onSelect,
  className = 'size-4',
}: Omit<RowProps, 'columns'> & { className?: string }) {
  return (
    <input
      type="checkbox"
      aria-label={m.vms.select(vm.name)}
      checked={selected}
      // A click tells of Shift, a change does not.
      onClick={(event) => onSelect(!selected, event.shiftKey)}
      onChange={() => {}}
      className={cx('relative z-10 align-middle', className)}
    />
  )
}

function Cell({ vm, column, withImage }: { vm: VmView; column: Column; withImage: boolean }): ReactNode {
  switch (column) {
    case 'name':
      return <NameCell vm={vm} withImage={withImage} />
    case 'state':
      return <VmState vm={vm} />
    case 'project':
      return vm.project.name
    case 'image':
      return vm.image.name
    case 'size':
      return (
        <span className="whitespace-nowrap">{[m.vms.vcpus(vm.cpus), bytes(vm.memoryBytes)].join(' · ')}</span>
      )
    case 'memory':
      return <MemoryNow vm={vm} />
    case 'disk':
      return vm.diskBytes === null ? (
        <None />
      ) : (
        <span className="whitespace-nowrap">
          {vm.diskUsedBytes === null
            ? bytes(vm.diskBytes)
            : m.vms.page.diskOf(bytes(vm.diskUsedBytes), bytes(vm.diskBytes))}
        </span>
      )
    case 'address':
      return <VmAddress vm={vm} />
    case 'host':
      return vm.host.name
    case 'uptime':
      return <Uptime vm={vm} />
    case 'created':
      return <Created vm={vm} />
  }
}

/** What the guest uses of what it has; what the host has given it, where the guest does not tell. */
function MemoryNow({ vm }: { vm: VmView }) {
  const now = useVmsNow().get(vm.id)
  if (vm.state !== 'running' || !now) return <None />
  const used = Math.min(now.guestMemoryBytes ?? now.memoryBytes, vm.memoryBytes)
  return (
    <span className="tnum whitespace-nowrap">{m.vms.page.diskOf(bytes(used), bytes(vm.memoryBytes))}</span>
  )
}

const None = () => <span className="text-ink-3">–</span>

function NameCell({ vm, withImage }: { vm: VmView; withImage: boolean }) {
  const labels = Object.entries(vm.labels)
  const picture = useScreenPicture(vm, 160)
  return (
    <div className="flex items-center gap-3">
      {picture ? (
        <ScreenThumbnail
          vm={vm}
          url={picture}
          className="h-9 w-14 shrink-0 rounded-[5px] ring-1 ring-line-strong"
        />
      ) : (
        <ImageMark uid={vm.image.uid} size="sm" />
      )}
      <div className="min-w-0">
        <span className="flex items-center gap-2">
          {/* The link covers the row; buttons of the row lie above it. */}
          <Link
            href={paths.vm(vm.id)}
            className="block truncate font-medium outline-offset-[-2px] after:absolute after:inset-0"
          >
            {vm.name}
          </Link>
          {vm.deleteProtected ? (
            <Tooltip text={m.vms.protected}>
              <span className="relative z-10 inline-flex">
                <ShieldCheck className="size-3.5 text-ink-3" aria-hidden="true" />
                <span className="sr-only">{m.vms.protected}</span>
              </span>
            </Tooltip>
          ) : null}
        </span>
        <span className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
          {withImage ? <span className="truncate text-ink-3 text-xs">{vm.image.name}</span> : null}
          {labels.slice(0, 3).map(([key, value]) => (
            <LabelChip key={key} name={key} value={value} />
          ))}
          {labels.length > 3 ? <span className="text-2xs text-ink-3">+{labels.length - 3}</span> : null}
        </span>
      </div>
    </div>
  )
}

export function VmCard({ vm, selected, onSelect }: RowProps) {
  const picture = useScreenPicture(vm, 480)
  return (
    <li
      className={cx(
        'card relative flex flex-col gap-3 p-4 transition-colors',
        selected && 'border-ember-line! bg-ember-soft/45!',
      )}
    >
      {picture ? (
        <ScreenThumbnail
          vm={vm}
          url={picture}
          className="-mx-4 -mt-4 aspect-video w-[calc(100%+2rem)] max-w-none rounded-t-card border-line border-b"
        />
      ) : null}
      <div className="flex items-start gap-3">
        <ImageMark uid={vm.image.uid} />
        <div className="min-w-0 flex-1">
          <Link
            href={paths.vm(vm.id)}
            className="block truncate font-medium after:absolute after:inset-0 after:rounded-card"
          >
            {vm.name}
          </Link>
          <span className="block truncate text-13 text-ink-3">{vm.image.name}</span>
        </div>
        <div className="relative z-10 -mt-1 -mr-1.5 flex items-center gap-2">
          <VmRowMenu vm={vm} />
          <SelectBox vm={vm} selected={selected} onSelect={onSelect} className="m-1.5 size-5" />
        </div>
      </div>
      <VmState vm={vm} />
      <div className="tnum flex items-center justify-between gap-3 border-line border-t pt-3 text-13 text-ink-2">
        <span className="truncate">
          {[m.vms.vcpus(vm.cpus), bytes(vm.memoryBytes), vm.diskBytes === null ? null : bytes(vm.diskBytes)]
            .filter(Boolean)
            .join(' · ')}
        </span>
        <Uptime vm={vm} />
      </div>
      {vm.addresses.length > 0 ? <VmAddress vm={vm} /> : null}
    </li>
  )
}

/** The pill, and beneath it what is being done, what failed, or from when the news is. */
function VmState({ vm }: { vm: VmView }) {
  const now = useNow()
  const status = vmStatus(vm)
  const action = runningAction(vm)
  const failed = failedAction(vm)
  return (
    <div className="flex min-w-0 flex-col items-start gap-1.5">
      <StatusPill tone={status.tone}>{status.label}</StatusPill>
      {action ? (
        <div className="w-full min-w-28 max-w-44">
          <ProgressBar label={m.vms.action.progress(vm.name)} value={action.progress} thin />
          <span className="mt-1 block truncate text-ink-3 text-xs leading-4">{action.step}</span>
        </div>
      ) : failed ? (
        <span className="line-clamp-2 text-bad text-xs leading-4">{m.vms.action.failed[failed.command]}</span>
      ) : vm.state === 'unknown' && vm.lastState && vm.observedAt ? (
        <span className="text-ink-3 text-xs leading-4">
          {m.vms.lastSeen(m.vms.state[vm.lastState], ago(vm.observedAt, now, m.common.justNow))}
        </span>
      ) : null}
    </div>
  )
}

function VmAddress({ vm }: { vm: VmView }) {
  const address = vm.addresses[0]
  if (!address) return <None />
  return (
    <span className="flex min-w-0 items-center gap-1">
      <span className="truncate font-mono text-13 text-ink">{address}</span>
      <span className="relative z-10">
        <CopyButton text={address} label={m.vms.copyAddress} copiedLabel={m.common.copied} />
      </span>
    </span>
  )
}

export function Uptime({ vm }: { vm: VmView }) {
  const now = useNow()
  if (vm.state !== 'running' || !vm.since) return <None />
  return (
    <span className="whitespace-nowrap">{now === 0 ? '' : duration(now - new Date(vm.since).getTime())}</span>
  )
}

function Created({ vm }: { vm: VmView }) {
  const now = useNow()
  return (
    <span className="whitespace-nowrap">{now === 0 ? '' : ago(vm.createdAt, now, m.common.justNow)}</span>
  )
}
