'use client'
import type { HostInfo } from '@hearth/shared/agent-protocol'
import { type PortForward, portForwardSchema, portKey, portProtocols } from '@hearth/shared/network'
import { useMutation } from '@tanstack/react-query'
import { ArrowRight, ExternalLink, Plus, X } from 'lucide-react'
import { useState } from 'react'
import { useAllVms, useProjects } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { m } from '../../messages/all.ts'
import { said } from '../../messages/said.ts'
import { Button } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { Field, Input, Select } from '../../ui/field.tsx'
import { Card } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { amount } from '../projects/amounts.ts'
import { RefusalNotice } from '../projects/quota-refusal.tsx'
import { FormDialog } from '../shell/form-dialog.tsx'
import { proposeHostPort } from './propose-port.ts'
import { useVmCache } from './use-vm-cache.ts'
import { useVmUpdate } from './use-vm-update.ts'
import { useVmPage } from './vm-context.ts'

const t = m.ports

/** Ports of the box that lead to the VM. */
export function PortForwardsCard({ host }: { host: HostInfo | null }) {
  const { vm } = useVmPage()
  const { update, changeUndoably } = useVmUpdate()
  const { projects } = useProjects()
  const [adding, setAdding] = useState(false)
  const line = projects?.find(({ id }) => id === vm.project.id)?.quota.find(({ key }) => key === 'ports')
  // By which people reach the box: what it says itself, else what they typed to come here.
  const address = host?.addresses?.[0] ?? (typeof window === 'undefined' ? '' : window.location.hostname)
  const remove = (forward: PortForward) => {
    const others = (list: readonly PortForward[]) => list.filter((one) => portKey(one) !== portKey(forward))
    changeUndoably(vm.id, { forwards: others(vm.forwards) }, t.removed(String(forward.hostPort)), (now) => ({
      forwards: [...others(now.forwards), forward],
    }))
  }
  return (
    <Card
      title={t.title}
      flush
      aside={
        <Button
          size="sm"
          variant="primary"
          icon={<Plus aria-hidden="true" />}
          whyDisabled={vm.can.update.why}
          onClick={() => setAdding(true)}
        >
          {t.add}
        </Button>
      }
    >
      {vm.forwards.length === 0 ? (
        <p className="max-w-[80ch] px-5 py-4 text-13 text-ink-3">{t.empty}</p>
      ) : (
        <ul className="divide-y divide-line">
          {vm.forwards.map((forward) => (
            <PortRow
              key={portKey(forward)}
              forward={forward}
              address={address}
              why={vm.can.update.why}
              busy={update.isPending}
              onRemove={() => remove(forward)}
            />
          ))}
        </ul>
      )}
      <Notes
        lines={[
          vm.firewall.from === 'nobody' && vm.forwards.length > 0 ? t.blocked : null,
          host?.network === 'passt' ? t.nextStart : null,
          host?.kind === 'lab' ? t.lab : null,
          line && line.limit !== null
            ? t.used(amount('ports', line.used), amount('ports', line.limit))
            : null,
        ]}
      />
      {adding ? <AddPort onClose={() => setAdding(false)} /> : null}
    </Card>
  )
}

function Notes({ lines }: { lines: readonly (string | null)[] }) {
  if (lines.every((line) => line === null)) return null
  return (
    <div className="border-line border-t px-5 py-3 text-13 text-ink-3">
      {lines.flatMap((line) => (line === null ? [] : [<p key={line}>{line}</p>]))}
    </div>
  )
}

function PortRow({
  forward,
  address,
  why,
  busy,
  onRemove,
}: {
  forward: PortForward
  address: string
  why: string | null
  busy: boolean
  onRemove: () => void
}) {
  const { protocol, hostPort, guestPort } = forward
  const place = `${address}:${hostPort}`
  const scheme = protocol === 'tcp' ? schemes[guestPort] : undefined
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-5 py-3">
      <span className="flex min-w-0 items-center gap-1">
        <span className="min-w-0 break-all font-mono text-13">{place}</span>
        <CopyButton
          text={place}
          label={m.common.copy(place)}
          copiedLabel={m.common.copied}
          className="-my-1"
        />
      </span>
      <span className="rounded border border-line bg-sunken px-1.5 font-mono text-2xs text-ink-2 uppercase">
        {protocol}
      </span>
      <span className="order-last flex min-w-0 basis-full items-center gap-2 text-13 text-ink-2 sm:order-none sm:flex-1 sm:basis-auto">
        <ArrowRight className="size-4 shrink-0 text-ink-3" aria-hidden="true" />
        {t.toGuest(String(guestPort))}
      </span>
      <span className="ml-auto flex items-center">
        {scheme ? (
          <a
            href={`${scheme}://${place}/`}
            target="_blank"
            rel="noreferrer"
            aria-label={t.openIn(place)}
            className={buttonClass('ghost', 'sm', 'size-8 px-0')}
          >
            <ExternalLink aria-hidden="true" />
          </a>
        ) : null}
        <Button
          size="sm"
          variant="ghost"
          aria-label={t.remove(place)}
          whyDisabled={why}
          busy={busy}
          icon={<X aria-hidden="true" />}
          onClick={onRemove}
        />
      </span>
    </li>
  )
}

const schemes: Readonly<Record<number, string>> = {
  80: 'http',
  8080: 'http',
  3000: 'http',
  443: 'https',
  8443: 'https',
}

const services = {
  http: { protocol: 'tcp', port: 80 },
  https: { protocol: 'tcp', port: 443 },
  ssh: { protocol: 'tcp', port: 22 },
  dns: { protocol: 'udp', port: 53 },
  wireguard: { protocol: 'udp', port: 51820 },
  minecraft: { protocol: 'tcp', port: 25565 },
} as const
const serviceNames = ['http', 'https', 'ssh', 'dns', 'wireguard', 'minecraft'] as const

function AddPort({ onClose }: { onClose: () => void }) {
  const { vm } = useVmPage()
  const trpc = useTRPC()
  const { keep } = useVmCache()
  const { vms = [] } = useAllVms()
  const others = vms.filter(({ id, host }) => id !== vm.id && host.id === vm.host.id)
  const taken = new Set([...others.flatMap(({ forwards }) => forwards), ...vm.forwards].map(portKey))
  const [service, setService] = useState<string>('http')
  const [protocol, setProtocol] = useState<(typeof portProtocols)[number]>('tcp')
  const [guestPort, setGuestPort] = useState('80')
  const [typed, setTyped] = useState<string>()
  const hostPort = typed ?? String(proposeHostPort(protocol, Number(guestPort), taken) ?? '')
  const add = useMutation(
    trpc.vm.update.mutationOptions({
      onSuccess: (now) => {
        keep(now)
        toast.success(t.added(hostPort))
        onClose()
      },
    }),
  )
  const parsed = portForwardSchema.safeParse({
    protocol,
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
  })
  const problems = new Map(parsed.error?.issues.map(({ path, message }) => [path[0], said(message)]))
  const key = portKey({ protocol, hostPort: Number(hostPort) })
  const other = others.find(({ forwards }) => forwards.some((one) => portKey(one) === key))
  const hostProblem =
    hostPort === ''
      ? null
      : (problems.get('hostPort') ??
        (other ? t.dialog.takenBy(other.name) : taken.has(key) && !add.isPending ? t.dialog.taken : null))
  const guestProblem = guestPort === '' ? null : (problems.get('guestPort') ?? null)
  const why =
    vm.can.update.why ??
    (hostPort === '' || guestPort === '' ? t.dialog.needed : (hostProblem ?? guestProblem))
  return (
    <FormDialog
      id="port-add"
      title={t.dialog.title(vm.name)}
      description={t.dialog.text}
      submit={t.dialog.confirm}
      busy={add.isPending}
      why={why}
      onClose={onClose}
      onSubmit={() => {
        if (parsed.success)
          add.mutate({
            id: vm.id,
            forwards: [...vm.forwards, parsed.data],
            idempotencyKey: intentKey(),
          })
      }}
    >
      <Field label={t.dialog.service}>
        <Select
          value={service}
          onChange={(event) => {
            const name = serviceNames.find((one) => one === event.target.value)
            setService(name ?? 'custom')
            setTyped(undefined)
            if (!name) return
            setProtocol(services[name].protocol)
            setGuestPort(String(services[name].port))
          }}
        >
          {serviceNames.map((name) => (
            <option key={name} value={name}>
              {t.dialog.services[name]}
            </option>
          ))}
          <option value="custom">{t.dialog.custom}</option>
        </Select>
      </Field>
      {service === 'custom' ? (
        <div className="grid grid-cols-2 gap-4">
          <Field label={t.dialog.protocol}>
            <Select
              value={protocol}
              onChange={(event) =>
                setProtocol(portProtocols.find((one) => one === event.target.value) ?? 'tcp')
              }
            >
              {portProtocols.map((name) => (
                <option key={name} value={name}>
                  {name.toUpperCase()}
                </option>
              ))}
            </Select>
          </Field>
          <Field label={t.dialog.guestPort} error={guestProblem}>
            <Input
              inputMode="numeric"
              value={guestPort}
              onChange={(event) => setGuestPort(event.target.value.trim())}
            />
          </Field>
        </div>
      ) : null}
      <Field label={t.dialog.hostPort} hint={t.dialog.hostHint} error={hostProblem}>
        <Input
          inputMode="numeric"
          value={hostPort}
          onChange={(event) => setTyped(event.target.value.trim())}
        />
      </Field>
      {add.error ? <RefusalNotice error={add.error} /> : null}
    </FormDialog>
  )
}
