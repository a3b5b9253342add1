/**
 * A home as it is after some weeks, for the tests of the pages and for the pictures in docs: a real portal process with
 * its real database and pages, set up and filled through its own procedures, before a stand-in agent.
 */
import type { PortForward } from '@hearth/shared/network'
import { GIB, MIB } from '@hearth/shared/units'
import { newKey, type Person, TestPortal, until } from '../test-portal.ts'
import { type Acting, act } from './acting-agent.ts'

/** Its people are `<name>@example.org`, all with this password. */
export const showcaseAdmin = { email: 'ada@example.org', password: 'correct horse battery' }

export interface Showcase {
  readonly test: TestPortal
  readonly acting: Acting
  readonly ada: Person
}

interface Wanted {
  name: string
  image?: string
  cpus: number
  memory: number
  disk?: number
  labels?: Record<string, string>
  forwards?: PortForward[]
  state?: 'running' | 'stopped' | 'crashed'
  project?: number
}

const wanted: Wanted[] = [
  { name: 'home-assistant', cpus: 2, memory: 2, disk: 20, labels: { for: 'house' } },
  {
    name: 'photo-library',
    cpus: 2,
    memory: 4,
    disk: 200,
    labels: { for: 'family', backup: 'daily' },
    forwards: [
      { protocol: 'tcp', hostPort: 8443, guestPort: 443 },
      { protocol: 'udp', hostPort: 51820, guestPort: 51820 },
    ],
  },
  { name: 'paperless', cpus: 1, memory: 2, disk: 40, labels: { for: 'family', backup: 'daily' } },
  { name: 'quiet-kettle', cpus: 1, memory: 1, disk: 10 },
  { name: 'build-runner', cpus: 4, memory: 8, disk: 80, labels: { for: 'work' }, state: 'stopped' },
  { name: 'kernel-lab', cpus: 2, memory: 2, disk: 10, labels: { for: 'work' }, state: 'crashed' },
  { name: 'amber-owl', image: 'tiny-linux', cpus: 1, memory: 0.25 },
  { name: 'mail-archive', cpus: 1, memory: 1, disk: 60, labels: { for: 'family' }, state: 'stopped' },
  { name: 'music', cpus: 1, memory: 1, disk: 10, labels: { for: 'house' } },
]

export async function startShowcase(kind: 'full' | 'empty' | 'setup'): Promise<Showcase> {
  let acting: Acting | undefined
  const test = await TestPortal.start({
    pages: 'production',
    prepare(agent) {
      acting = act(agent)
      agent.host = {
        ...agent.host,
        hostname: 'hearth-box',
        kind: 'kvm',
        cpuModel: 'AMD Ryzen 7 5825U with Radeon Graphics',
        cpus: 16,
        memoryBytes: 32 * GIB,
        memoryAvailableBytes: 19 * GIB,
        diskBytes: 930 * GIB,
        diskAvailableBytes: 512 * GIB,
        bootedAt: new Date(Date.now() - 9 * 86_400_000).toISOString(),
      }
      const [tiny, debian, absent] = agent.images
      Object.assign(tiny!, {
        description: 'A Linux in memory. Starts in seconds, keeps nothing.',
        storedBytes: 14 * MIB,
      })
      Object.assign(debian!, {
        description: 'Bookworm, with cloud-init, SSH and a serial console.',
        storedBytes: 780 * MIB,
      })
      Object.assign(absent!, {
        imageUid: 'alpine-3',
        name: 'Alpine 3.22',
        description: 'Small, simple, secure; a good home for containers.',
        cloudInit: true,
        loginUser: 'alpine',
        source: 'download',
        downloadBytes: 220 * MIB,
        minMemoryBytes: 256 * MIB,
        minDiskBytes: 1 * GIB,
      })
    },
  })
  if (kind === 'setup') return { test, acting: acting!, ada: test.connect() }
  const ada = await test.setUp()
  if (kind === 'full') {
    await ada.trpc.sshKey.create.mutate({ name: 'ada@laptop', publicKey })
    await ada.trpc.token.create.mutate({ name: 'Backup script', scope: 'write', expiresInDays: 90 })
    for (const vm of wanted) await make(test, ada, vm)
    for (const [name, gib] of [
      ['family-photos', 200],
      ['backups', 100],
    ] as const) {
      const { volume } = await ada.trpc.volume.make.mutate({ name, bytes: gib * GIB, format: 'ext4' })
      await until(`the disk ${name} to be there`, async () =>
        (await ada.trpc.volume.list.query()).some(({ id, status }) => id === volume.id && status === 'ready'),
      )
    }
    await backUp(ada)
    const music = (await ada.trpc.vm.list.query()).find(({ name }) => name === 'music')!
    acting!.held.add(music.vmUid)
    await ada.trpc.vm.power.mutate({ id: music.id, op: 'shutdown', idempotencyKey: newKey() })
    // One that is just being made, for as long as anybody looks.
    const clock = await ada.trpc.vm.create.mutate(
      inputOf({ name: 'tea-clock', cpus: 1, memory: 1, disk: 10 }),
    )
    acting!.held.add(clock.vm.vmUid)
    acting!.stepMs = 700
    await weeksPassed(test, ada)
  }
  return { test, acting: acting!, ada }
}

/** A backup disk, a plan, and two of the VMs backed up. */
async function backUp(ada: Person): Promise<void> {
  const { id: hostId } = (await ada.trpc.host.list.query())[0]!
  await ada.trpc.backup.setTarget.mutate({ hostId, folder: '/mnt/backup' })
  await ada.trpc.backup.setPlan.mutate({ hostId, plan: { every: 'day', minute: 180, weekday: 0, keep: 7 } })
  const { vms } = await ada.trpc.backup.list.query()
  for (const { vm } of vms.slice(0, 2)) {
    await ada.trpc.backup.take.mutate({ vmId: vm.id })
    await until(`the backup of ${vm.name}`, async () =>
      (await ada.trpc.backup.list.query()).backups.some(
        (backup) => backup.vm?.id === vm.id && backup.status === 'ready',
      ),
    )
  }
}

/** What only time brings: limits somebody set, figures that were measured, days on which things happened. */
async function weeksPassed(test: TestPortal, ada: Person): Promise<void> {
  const { db } = test
  const [home] = await ada.trpc.project.list.query()
  const limits = { vms: 12, vcpus: 16, memory: 24 * GIB, disk: 800 * GIB }
  await ada.trpc.quota.set.mutate({ projectId: home!.id, limits })
  const kids = await ada.trpc.project.create.mutate({ name: 'Kids' })
  await ada.trpc.quota.set.mutate({ projectId: kids.id, limits: { vms: 3, memory: 4 * GIB } })
  // A member with something of their own, and one who may only look.
  const ben = await test.addPerson('Ben', { [kids.id]: 'member' })
  await test.addPerson('Cleo', { [home!.id]: 'viewer' })
  await make(test, ben, { name: 'block-world', cpus: 2, memory: 2, disk: 20, project: kids.id })

  const vms = await db.vm.findMany({ where: { observedState: 'running' } })
  const host = await db.host.findFirstOrThrow()
  const end = Math.floor(Date.now() / 10_000) * 10_000
  const wave = (row: number, length: number, low: number, high: number) =>
    low +
    (high - low) *
      (0.45 +
        0.3 * Math.sin(row / length) +
        0.15 * Math.sin(row / (length / 3.7) + length) +
        0.06 * Math.sin(row * length))
  const rows = Array.from({ length: 359 }, (_, row) => ({ row, at: new Date(end - (359 - row) * 10_000) }))
  const base = { resolution: 10, diskUsedBytes: 418 * GIB }
  await db.metric.createMany({
    data: rows.flatMap(({ row, at }) => [
      {
        ...{ ...base, at, resourceType: 'host', resourceId: host.id },
        ...{ cpu: wave(row, 40, 2.2, 5.8), memoryBytes: wave(row, 90, 12, 13.5) * GIB },
        temperature: Math.round(wave(row, 50, 46, 58)),
      },
      ...vms.map(({ id, cpus, memoryBytes }) => ({
        ...{ resolution: 10, at, resourceType: 'vm', resourceId: id },
        ...{
          cpu: wave(row + id * 17, 25 + id, 0.04, 0.7 * cpus),
          memoryBytes: wave(row, 80, 0.5, 0.8) * Number(memoryBytes),
          guestMemoryBytes: wave(row, 60, 0.25, 0.5) * Number(memoryBytes),
        },
        ...{
          diskReadBytes: wave(row, 9, 0, 4) * MIB,
          diskWriteBytes: wave(row, 13, 0.1, 2) * MIB,
          diskReads: 40,
          diskWrites: 30,
        },
        ...{
          netRxBytes: wave(row, 17, 0.1, 3) * MIB,
          netTxBytes: wave(row, 11, 0, 1) * MIB,
          netRxPackets: 900,
          netTxPackets: 400,
        },
      })),
    ]),
  })

  const activities = await db.activity.findMany({ orderBy: { id: 'desc' } })
  let ago = 2 * 60_000
  for (const [index, { id }] of activities.entries()) {
    await db.activity.update({
      where: { id },
      data: { at: new Date(Date.now() - ago), fromAddress: '192.168.1.20' },
    })
    ago += (7 + ((index * 37) % 90)) * 60_000
  }
}

function inputOf(vm: Wanted) {
  const image = vm.image ?? 'debian-12'
  return {
    name: vm.name,
    imageUid: image,
    cpus: vm.cpus,
    memoryBytes: vm.memory * GIB,
    ...(vm.project === undefined ? {} : { projectId: vm.project }),
    ...(vm.disk ? { diskBytes: vm.disk * GIB } : {}),
    ...(image === 'debian-12' ? { user: 'ada' } : {}),
    sshKeys: image === 'debian-12' ? [publicKey] : [],
    startAtBoot: true,
    start: vm.state !== 'stopped',
    idempotencyKey: newKey(),
  }
}

async function make(test: TestPortal, ada: Person, vm: Wanted): Promise<void> {
  const { vm: made } = await ada.trpc.vm.create.mutate(inputOf(vm))
  const idle = () =>
    until(`${vm.name} to be there`, async () => {
      const now = await ada.trpc.vm.get.query({ id: made.id })
      return now.action === null && now.state !== 'creating'
    })
  await idle()
  if (vm.forwards)
    await ada.trpc.vm.update.mutate({ id: made.id, forwards: vm.forwards, idempotencyKey: newKey() })
  if (vm.forwards) await idle()
  if (vm.labels) await ada.trpc.vm.update.mutate({ id: made.id, labels: vm.labels, idempotencyKey: newKey() })
  if (vm.state === 'crashed') {
    test.agent.setVm(made.vmUid, {
      state: 'crashed',
      addresses: [],
      panicked: true,
      exitReason: 'The guest panicked and did not restart.',
    })
  } else if (vm.state !== 'stopped') {
    const since = new Date(Date.now() - (vm.cpus * 31 + vm.memory * 7) * 3_600_000).toISOString()
    test.agent.setVm(made.vmUid, { since })
  }
  await idle()
}

const blob = Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from('ssh-ed25519'),
  Buffer.from([0, 0, 0, 32]),
  Buffer.alloc(32, 9),
])
const publicKey = `ssh-ed25519 ${blob.toString('base64')} ada@laptop`
