'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { SquareTerminal } from 'lucide-react'
import Link from 'next/link'
import { errorMessage } from '../../data/errors.ts'
import { useImages, type VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { bytes, dateTime } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { CopyButton, CopyLine } from '../../ui/copy.tsx'
import { Card, Fact, Facts } from '../../ui/layout.tsx'
import { Switch } from '../../ui/switch.tsx'
import { toast } from '../../ui/toast.tsx'
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
        <Connect vm={vm} />
        <Behaviour vm={vm} />
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
          <Fact label={t.created}>{now ? dateTime(vm.createdAt) : ''}</Fact>
        </Facts>
      </Card>
    </div>
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

function Behaviour({ vm }: { vm: VmView }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const update = useMutation(
    trpc.vm.update.mutationOptions({
      onSuccess: (changed) =>
        queries.setQueryData(trpc.vm.list.queryKey(), (list) =>
          list?.map((each) => (each.id === changed.id ? changed : each)),
        ),
      onError: (error) => toast.error(m.common.failed, errorMessage(error, m.entry.signIn.unreachable)),
    }),
  )
  return (
    <Card title={t.behaviour}>
      <div className="flex items-center justify-between gap-5">
        <div>
          <p className="font-medium text-13">{t.startAtBoot}</p>
          <p className="text-13 text-ink-3">{t.startAtBootHint}</p>
        </div>
        <Switch
          label={t.startAtBoot}
          // Safe to show at once: a refusal puts it back and says why.
          checked={update.isPending ? update.variables.startAtBoot : vm.startAtBoot}
          onChange={(startAtBoot) => update.mutate({ id: vm.id, startAtBoot })}
        />
      </div>
    </Card>
  )
}
