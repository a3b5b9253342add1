'use client'
import Link from 'next/link'
import type { VmView } from '../../data/hooks.ts'
import { ago, bytes, duration } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { ImageMark } from '../../ui/image-mark.tsx'
import { ProgressBar } from '../../ui/meter.tsx'
import { StatusPill } from '../../ui/status.tsx'
import { VmRowMenu } from './vm-menu.tsx'
import { failedAction, runningAction, vmStatus } from './vm-status.ts'

export function VmRow({ vm }: { vm: VmView }) {
  return (
    <tr className="group relative transition-colors hover:bg-raised/45">
      <td className="py-3 pr-3 pl-5">
        <div className="flex items-center gap-3">
          <ImageMark uid={vm.image.uid} size="sm" />
          <div className="min-w-0">
            {/* The link covers the row; buttons of the row lie above it. */}
            <Link
              href={paths.vm(vm.id)}
              className="block truncate font-medium outline-offset-[-2px] after:absolute after:inset-0"
            >
              {vm.name}
            </Link>
            <span className="block truncate text-ink-3 text-xs">{vm.image.name}</span>
          </div>
        </div>
      </td>
      <td className="px-3 py-3">
        <VmState vm={vm} />
      </td>
      <td className="tnum px-3 py-3 text-13 text-ink-2">
        <VmSize vm={vm} />
      </td>
      <td className="px-3 py-3">
        <VmAddress vm={vm} />
      </td>
      <td className="tnum px-3 py-3 text-13 text-ink-2">
        <Uptime vm={vm} />
      </td>
      <td className="relative z-10 py-3 pr-3 text-right">
        <VmRowMenu vm={vm} />
      </td>
    </tr>
  )
}

export function VmCard({ vm }: { vm: VmView }) {
  return (
    <li className="card relative flex flex-col gap-3 p-4">
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
        <div className="relative z-10 -mt-1 -mr-1.5">
          <VmRowMenu vm={vm} />
        </div>
      </div>
      <VmState vm={vm} />
      <div className="tnum flex items-center justify-between gap-3 border-line border-t pt-3 text-13 text-ink-2">
        <VmSize vm={vm} />
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
        <div className="w-full max-w-40">
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

function VmSize({ vm }: { vm: VmView }) {
  return (
    <span className="truncate">
      {[m.vms.vcpus(vm.cpus), bytes(vm.memoryBytes), vm.diskBytes === null ? null : bytes(vm.diskBytes)]
        .filter(Boolean)
        .join(' · ')}
    </span>
  )
}

function VmAddress({ vm }: { vm: VmView }) {
  const address = vm.addresses[0]
  if (!address) return <span className="text-13 text-ink-3">–</span>
  return (
    <span className="flex min-w-0 items-center gap-1">
      <span className="truncate font-mono text-13">{address}</span>
      <span className="relative z-10">
        <CopyButton text={address} label={m.vms.copyAddress} copiedLabel={m.common.copied} />
      </span>
    </span>
  )
}

export function Uptime({ vm }: { vm: VmView }) {
  const now = useNow()
  if (vm.state !== 'running' || !vm.since) return <span className="text-ink-3">–</span>
  return <span>{now === 0 ? '' : duration(now - new Date(vm.since).getTime())}</span>
}
