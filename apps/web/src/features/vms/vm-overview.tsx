'use client'
import { SquareTerminal } from 'lucide-react'
import Link from 'next/link'
import { useImages, type VmView } from '../../data/hooks.ts'
import { bytes, dateTime, percent } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { CopyButton, CopyLine } from '../../ui/copy.tsx'
import { Card, Fact, Facts } from '../../ui/layout.tsx'
import { Meter } from '../../ui/meter.tsx'
import { ScreenThumbnail, useScreenPicture } from './screen-thumbnail.tsx'
import { useVmsNow } from './use-vms-now.ts'
import { useVmPage } from './vm-context.ts'
import { Uptime } from './vm-row.tsx'
import { vmStatus } from './vm-status.ts'

const t = m.vms.page

export function VmOverview() {
  const { vm } = useVmPage()
  const now = useNow()
  return (
    <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.1fr)]">
      <div className="flex min-w-0 flex-col gap-5">
        <Preview vm={vm} />
        <Connect vm={vm} />
        {vm.state === 'running' ? <RightNow vm={vm} /> : null}
      </div>
      <Card title={t.details} flush>
        <Facts>
          <Fact label={t.state}>
            {vmStatus(vm).label}
            {vm.since && now ? <span className="text-ink-3"> {t.since(dateTime(vm.since))}</span> : null}
          </Fact>
          <Fact label={t.uptime}>
            <Uptime vm={vm} />
          </Fact>
          <Fact label={t.image}>{vm.image.name}</Fact>
          <Fact label={t.size}>
            {m.vms.vcpus(vm.cpus)} · {m.vms.memory(bytes(vm.memoryBytes))}
          </Fact>
          <Fact label={t.disk}>
            {vm.diskBytes === null
              ? t.noDisk
              : vm.diskUsedBytes === null
                ? bytes(vm.diskBytes)
                : t.diskOf(bytes(vm.diskUsedBytes), bytes(vm.diskBytes))}
          </Fact>
          <Fact label={t.addresses}>
            {vm.addresses.length === 0 ? (
              <span className="text-ink-3">{m.vms.noAddress}</span>
            ) : (
              vm.addresses.map((address) => (
                <span key={address} className="flex items-center gap-1">
                  <span className="min-w-0 break-all font-mono text-13">{address}</span>
                  <CopyButton
                    text={address}
                    label={m.vms.copyAddress}
                    copiedLabel={m.common.copied}
                    className="-my-1"
                  />
                </span>
              ))
            )}
          </Fact>
          <Fact label={t.mac}>
            <span className="font-mono text-13">{vm.mac}</span>
          </Fact>
          <Fact label={t.host}>{vm.host.name}</Fact>
          {Object.keys(vm.labels).length > 0 ? (
            <Fact label={t.labels}>
              <span className="flex flex-wrap gap-1.5 font-mono text-13">
                {Object.entries(vm.labels).map(([key, value]) => (
                  <span key={key} className="rounded-full bg-raised px-2 text-ink-2">
                    {value === '' ? key : `${key}=${value}`}
                  </span>
                ))}
              </span>
            </Fact>
          ) : null}
          <Fact label={t.created}>{now ? dateTime(vm.createdAt) : ''}</Fact>
        </Facts>
      </Card>
    </div>
  )
}

/** How hard it works, as the way to how hard it worked. */
function RightNow({ vm }: { vm: VmView }) {
  const now = useVmsNow().get(vm.id)
  const t = m.metrics
  const used = now ? Math.min(now.guestMemoryBytes ?? now.memoryBytes, vm.memoryBytes) : 0
  return (
    <Card
      title={t.now}
      aside={
        <Link href={paths.vmMetrics(vm.id)} className="font-medium text-13 text-ember hover:underline">
          {m.vms.page.tabs.metrics}
        </Link>
      }
    >
      <div className="grid grid-cols-1 gap-x-8 gap-y-4 sm:grid-cols-2">
        <Meter
          mayExceed
          label={t.cpu}
          value={now ? now.cpu / vm.cpus : 0}
          text={now ? percent(now.cpu / vm.cpus) : '–'}
        />
        <Meter
          mayExceed
          label={t.memory}
          value={used / vm.memoryBytes}
          text={now ? m.vms.page.diskOf(bytes(Math.round(used)), bytes(vm.memoryBytes)) : '–'}
        />
      </div>
    </Card>
  )
}

/** What its screen shows, as the way to it. */
function Preview({ vm }: { vm: VmView }) {
  const picture = useScreenPicture(vm, 960)
  if (!picture) return null
  return (
    <Link
      href={paths.vmConsole(vm.id)}
      className="card block overflow-hidden transition-[box-shadow] hover:shadow-float"
    >
      <ScreenThumbnail vm={vm} url={picture} className="aspect-[16/10] w-full object-contain!" />
    </Link>
  )
}

function Connect({ vm }: { vm: VmView }) {
  const { images } = useImages()
  const image = images?.find((each) => each.uid === vm.image.uid)
  const address = vm.addresses.find((each) => !each.includes(':')) ?? vm.addresses[0]
  const ssh = vm.loginUser && address ? `ssh ${vm.loginUser}@${address}` : null
  const running = vm.state === 'running'
  return (
    <Card title={t.connect}>
      <div className="flex flex-col gap-5">
        <div>
          <h3 className="mb-1.5 font-medium text-13">{m.vms.power.console}</h3>
          <div className="flex flex-wrap items-center gap-3">
            {vm.can.console.ok ? (
              <Link href={paths.vmConsole(vm.id)} className={buttonClass('secondary')}>
                <SquareTerminal aria-hidden="true" />
                {t.openConsole}
              </Link>
            ) : (
              <Button icon={<SquareTerminal aria-hidden="true" />} whyDisabled={vm.can.console.why}>
                {t.openConsole}
              </Button>
            )}
            <p className="min-w-0 flex-1 basis-48 text-13 text-ink-3">
              {t.consoleHint} {vm.loginUser ? t.consoleLogin(vm.loginUser) : ''}
            </p>
          </div>
        </div>
        <div>
          <h3 className="mb-1.5 font-medium text-13">{t.ssh}</h3>
          {ssh && running ? (
            <>
              <CopyLine text={ssh} prompt="$" label={m.common.copy(ssh)} copiedLabel={m.common.copied} />
              <p className="mt-1.5 text-13 text-ink-3">{t.sshHint}</p>
            </>
          ) : (
            <p className="text-13 text-ink-3">
              {image && !image.cloudInit ? t.sshNoCloudInit : running ? t.sshNoAddress : t.sshStopped}
            </p>
          )}
        </div>
      </div>
    </Card>
  )
}
