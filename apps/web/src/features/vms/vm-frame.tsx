'use client'
import { ChevronLeft } from 'lucide-react'
import Link from 'next/link'
import { usePathname, useRouter } from 'next/navigation'
import { type ReactNode, useEffect, useRef } from 'react'
import { useAllVms, type VmView } from '../../data/hooks.ts'
import { ago } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { ImageMark } from '../../ui/image-mark.tsx'
import { Notice, Skeleton } from '../../ui/layout.tsx'
import { StatusPill } from '../../ui/status.tsx'
import { Tab, Tabs } from '../../ui/tabs.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { NotFound } from '../shell/not-found.tsx'
import { ActionBanner } from './action-banner.tsx'
import { CreationProgress } from './creation-progress.tsx'
import { useVmPower } from './use-vm-power.ts'
import { VmPageContext } from './vm-context.ts'
import { VmPowerBar } from './vm-power-bar.tsx'
import { failedAction, runningAction, vmStatus } from './vm-status.ts'

/** Header, power, tabs and what is going on; the tab's page comes below. */
export function VmFrame({ id, children }: { id: number; children: ReactNode }) {
  const { vms, error } = useAllVms()
  const actions = useVmPower()
  const router = useRouter()
  const vm = vms?.find((each) => each.id === id)

  // A VM that was deleted while one looks at it takes one back to the list; one that never was is not found.
  const wasDeleting = useRef(false)
  if (vm?.desiredState === 'deleted' || vm?.action?.cancelled) wasDeleting.current = true
  const gone = vms !== undefined && vm === undefined
  useEffect(() => {
    if (gone && wasDeleting.current) router.replace(paths.vms())
  }, [gone, router])

  useEffect(() => {
    if (vm) document.title = `${vm.name} · ${m.common.product}`
  }, [vm])

  if (error && !vms) return <LoadError error={error} />
  if (gone)
    return wasDeleting.current ? null : (
      <NotFound title={m.vms.page.notFound.title} text={m.vms.page.notFound.text} />
    )
  if (!vm) return <FrameSkeleton />
  return (
    <VmPageContext value={{ vm, actions }}>
      <div className="flex min-h-[calc(100dvh-9rem)] flex-col gap-5 md:min-h-[calc(100dvh-5rem)]">
        <div>
          <Link
            href={paths.vms()}
            className="-ml-1.5 inline-flex items-center gap-1 rounded-md px-1.5 py-0.5 text-13 text-ink-3 hover:text-ink"
          >
            <ChevronLeft className="size-3.5" aria-hidden="true" />
            {m.vms.title}
          </Link>
          <header className="mt-2 flex flex-wrap items-center justify-between gap-x-6 gap-y-4">
            <div className="flex min-w-0 items-center gap-4">
              <ImageMark uid={vm.image.uid} size="lg" />
              <div className="min-w-0">
                <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <h1 className="truncate font-semibold text-[1.375rem] leading-8 tracking-[-0.018em]">
                    {vm.name}
                  </h1>
                  <StatusPill tone={vmStatus(vm).tone}>{vmStatus(vm).label}</StatusPill>
                </div>
                <HeaderLine vm={vm} />
              </div>
            </div>
            <VmPowerBar vm={vm} actions={actions} />
          </header>
        </div>
        <VmTabs vm={vm} />
        <VmNews vm={vm} />
        {children}
      </div>
    </VmPageContext>
  )
}

function VmTabs({ vm }: { vm: VmView }) {
  const path = usePathname()
  const t = m.vms.page.tabs
  const tabs = [
    { href: paths.vm(vm.id), label: t.overview },
    { href: paths.vmConsole(vm.id), label: t.console },
    { href: paths.vmMetrics(vm.id), label: t.metrics },
    { href: paths.vmDisks(vm.id), label: t.disks },
    { href: paths.vmSnapshots(vm.id), label: t.snapshots },
    { href: paths.vmNetwork(vm.id), label: t.network },
    { href: paths.vmSettings(vm.id), label: t.settings },
    { href: paths.vmActivity(vm.id), label: t.activity },
    { href: paths.vmApi(vm.id), label: t.api },
  ]
  return (
    <Tabs label={t.label}>
      {tabs.map((tab) => (
        <Tab key={tab.href} current={path === tab.href} render={<Link href={tab.href}>{tab.label}</Link>} />
      ))}
    </Tabs>
  )
}

/** What it is, or while something is done to it, what. */
function HeaderLine({ vm }: { vm: VmView }) {
  const action = runningAction(vm)
  return (
    <p className="truncate text-13 text-ink-3">
      {action ? (
        <span className="tnum text-ink-2">
          {[
            action.step || m.vms.action.running[action.command],
            action.progress > 0 ? `${action.progress} %` : null,
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
      ) : (
        vm.image.name
      )}
    </p>
  )
}

/** What the person should know before anything else on this page. */
function VmNews({ vm }: { vm: VmView }) {
  const now = useNow()
  const running = runningAction(vm)
  const failed = failedAction(vm)
  // There the terminal would change its size with every banner; it has a notice of its own.
  const onConsole = usePathname() === paths.vmConsole(vm.id)
  if (onConsole) return null
  if (vm.state === 'unknown')
    return (
      <Notice
        tone="warn"
        title={vm.host.online ? (vm.stateReason ?? m.vms.state.unknown) : m.vms.away.title(vm.host.name)}
      >
        {vm.observedAt ? m.vms.away.text(ago(vm.observedAt, now, m.common.justNow)) : vm.stateReason}
        {vm.lastState && vm.observedAt ? (
          <span className="block">
            {m.vms.lastSeen(m.vms.state[vm.lastState], ago(vm.observedAt, now, m.common.justNow))}
          </span>
        ) : null}
      </Notice>
    )
  return (
    <>
      {running?.command === 'create_vm' ? (
        <CreationProgress vm={vm} action={running} />
      ) : running ? (
        <ActionBanner action={running} />
      ) : null}
      {failed ? (
        <Notice tone="bad" title={m.vms.action.failed[failed.command]}>
          {failed.error?.message}
        </Notice>
      ) : null}
      {vm.state === 'crashed' && !running ? (
        <Notice tone="bad" title={m.vms.crashed.title}>
          {[vm.panicked ? m.vms.crashed.panic : null, vm.exitReason, m.vms.crashed.text]
            .filter(Boolean)
            .join(' ')}
        </Notice>
      ) : vm.stateReason && !running ? (
        <Notice tone="warn" title={vm.stateReason} />
      ) : null}
    </>
  )
}

function FrameSkeleton() {
  return (
    <div role="status" aria-label={m.common.loading} className="flex flex-col gap-6">
      <div className="flex items-center gap-4 pt-8">
        <Skeleton className="size-12 rounded-xl!" />
        <Skeleton className="h-9 w-56" />
      </div>
      <Skeleton className="h-10 w-full" />
      <div className="grid grid-cols-1 gap-5 lg:grid-cols-2">
        <Skeleton className="h-64 rounded-card!" />
        <Skeleton className="h-64 rounded-card!" />
      </div>
    </div>
  )
}
