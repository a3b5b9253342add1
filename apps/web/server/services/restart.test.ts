/** The portal is restarted in the middle of an action of every kind, and each ends as its host says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ActionCommand } from '@hearth/shared/action'
import type { PowerOp } from '@hearth/shared/agent-protocol'
import { GIB } from '@hearth/shared/units'
import { readyTarget } from '../testing/fake-agent-backups.ts'
import { newKey, type Person, TestPortal, tinyVm, until } from '../testing/test-portal.ts'

/** Begins one of its kind, on things of its own, and returns its action's id. */
type Begin = (ada: Person, portal: TestPortal) => Promise<number>

const idle = (ada: Person, id: number) =>
  until('the VM to be free', async () => {
    const vm = await ada.trpc.vm.get.query({ id })
    return vm.action?.status === 'running' ? null : vm
  })

let names = 0
/** A VM with a disk in that state, which nothing holds. */
async function vmIn(ada: Person, portal: TestPortal, state: 'running' | 'stopped') {
  const input = { ...tinyVm(`vm-${++names}`), diskBytes: 1 * GIB, start: state === 'running' }
  const { vm, action } = await ada.trpc.vm.create.mutate(input)
  portal.agent.setVm(vm.vmUid, { state })
  portal.agent.finish(action.id)
  return until(`it to be ${state}`, async () => {
    const now = await idle(ada, vm.id)
    return now.state === state ? now : null
  })
}

const power =
  (op: PowerOp): Begin =>
  async (ada, portal) => {
    const { id } = await vmIn(ada, portal, op === 'start' ? 'stopped' : 'running')
    return (await ada.trpc.vm.power.mutate({ id, op, idempotencyKey: newKey() })).action.id
  }

/** A volume of a VM that is off, or of none. */
async function volumeOf(ada: Person, portal: TestPortal, attached: boolean) {
  const vm = await vmIn(ada, portal, 'stopped')
  const wanted = { vmId: vm.id, name: `disk-${++names}`, bytes: 1 * GIB, format: null }
  const made = await ada.trpc.volume.create.mutate(wanted)
  portal.agent.finish(made.action.id)
  await idle(ada, vm.id)
  if (attached) return { id: made.volume.id, vmId: vm.id }
  const { action } = await ada.trpc.volume.detach.mutate({ id: made.volume.id })
  portal.agent.finish(action.id)
  await idle(ada, vm.id)
  return { id: made.volume.id, vmId: vm.id }
}

async function snapshotOf(ada: Person, portal: TestPortal) {
  const vm = await vmIn(ada, portal, 'stopped')
  const { action } = await ada.trpc.snapshot.take.mutate({ vmId: vm.id, name: 'before' })
  portal.agent.finish(action.id)
  const { snapshots } = await until('the snapshot', async () => {
    await idle(ada, vm.id)
    const view = await ada.trpc.snapshot.list.query({ vmId: vm.id })
    return view.snapshots[0]?.status === 'ready' ? view : null
  })
  return { id: snapshots[0]!.id }
}

async function backupOf(ada: Person, portal: TestPortal) {
  portal.agent.setBackupTarget(readyTarget('/mnt/backup'))
  await until('the disk', async () => (await ada.trpc.backup.list.query()).hosts[0]?.target)
  const vm = await vmIn(ada, portal, 'stopped')
  const action = await ada.trpc.backup.take.mutate({ vmId: vm.id })
  portal.agent.finish(action.id)
  const found = await until('the backup', async () =>
    (await ada.trpc.backup.list.query()).backups.find(
      (backup) => backup.vm?.id === vm.id && backup.status === 'ready',
    ),
  )
  return { id: found.id }
}

const address = { loginUser: 'debian', url: 'https://example.org/debian.qcow2' }

/** What is done with the writing of it (`protect_vm`, `protect_image`) is never under way. */
const begin: Record<Exclude<ActionCommand, 'protect_vm' | 'protect_image'>, Begin> = {
  create_vm: async (ada) => (await ada.trpc.vm.create.mutate(tinyVm(`vm-${++names}`))).action.id,
  delete_vm: async (ada, portal) => {
    const { id, name } = await vmIn(ada, portal, 'stopped')
    return (await ada.trpc.vm.delete.mutate({ id, confirmName: name, idempotencyKey: newKey() })).action.id
  },
  start_vm: power('start'),
  shutdown_vm: power('shutdown'),
  poweroff_vm: power('poweroff'),
  reset_vm: power('reset'),
  reboot_vm: power('reboot'),
  suspend_vm: power('suspend'),
  update_vm: async (ada, portal) => {
    const { id } = await vmIn(ada, portal, 'stopped')
    await ada.trpc.vm.update.mutate({ id, cpus: 2, idempotencyKey: newKey() })
    return (await ada.trpc.vm.get.query({ id })).action!.id
  },
  rebuild_vm: async (ada, portal) => {
    const { id, name, image } = await vmIn(ada, portal, 'stopped')
    const wanted = { id, imageUid: image.uid, confirmName: name, idempotencyKey: newKey() }
    return (await ada.trpc.vm.rebuild.mutate(wanted)).action.id
  },
  snapshot_vm: async (ada, portal) => {
    const { id } = await vmIn(ada, portal, 'running')
    return (await ada.trpc.snapshot.take.mutate({ vmId: id })).action.id
  },
  restore_vm: async (ada, portal) =>
    (await ada.trpc.snapshot.restore.mutate(await snapshotOf(ada, portal))).action.id,
  delete_snapshot: async (ada, portal) =>
    (await ada.trpc.snapshot.delete.mutate(await snapshotOf(ada, portal))).action.id,
  backup_vm: async (ada, portal) => {
    portal.agent.setBackupTarget(readyTarget('/mnt/backup'))
    await until('the disk', async () => (await ada.trpc.backup.list.query()).hosts[0]?.target)
    const { id } = await vmIn(ada, portal, 'running')
    return (await ada.trpc.backup.take.mutate({ vmId: id })).id
  },
  restore_backup: async (ada, portal) =>
    (await ada.trpc.backup.restore.mutate(await backupOf(ada, portal))).action.id,
  verify_backup: async (ada, portal) => (await ada.trpc.backup.verify.mutate(await backupOf(ada, portal))).id,
  delete_backup: async (ada, portal) =>
    (await ada.trpc.backup.delete.mutate(await backupOf(ada, portal)))!.id,
  create_volume: async (ada, portal) => {
    const { id: vmId } = await vmIn(ada, portal, 'stopped')
    const wanted = { vmId, name: `disk-${++names}`, bytes: 1 * GIB, format: null }
    return (await ada.trpc.volume.create.mutate(wanted)).action.id
  },
  attach_volume: async (ada, portal) => {
    const { id, vmId } = await volumeOf(ada, portal, false)
    return (await ada.trpc.volume.attach.mutate({ id, vm: vmId })).action.id
  },
  detach_volume: async (ada, portal) => {
    const { id } = await volumeOf(ada, portal, true)
    return (await ada.trpc.volume.detach.mutate({ id })).action.id
  },
  resize_volume: async (ada, portal) => {
    const { id } = await volumeOf(ada, portal, true)
    return (await ada.trpc.volume.resize.mutate({ id, bytes: 2 * GIB })).action.id
  },
  delete_volume: async (ada, portal) => {
    const { id } = await volumeOf(ada, portal, false)
    return (await ada.trpc.volume.delete.mutate({ id })).id
  },
  build_image: async (ada) => (await ada.trpc.image.build.mutate({ imageUid: 'absent-1' })).id,
  download_image: async (ada) => (await ada.trpc.image.build.mutate({ imageUid: 'cloud-1' })).id,
  import_image: async (ada) =>
    (await ada.trpc.image.import.mutate({ ...address, name: `image-${++names}` })).id,
  create_image: async (ada, portal) => {
    const { id: vmId } = await vmIn(ada, portal, 'stopped')
    return (await ada.trpc.image.fromVm.mutate({ vmId, name: `image-${++names}` })).id
  },
  delete_image: async (ada, portal) => {
    const name = `image-${++names}`
    const made = await ada.trpc.image.import.mutate({ ...address, name })
    const [model] = portal.agent.images
    const image = { ...model!, imageUid: made.image!.uid, source: 'import' as const }
    portal.agent.images.push(image)
    portal.agent.emit({ type: 'image', image })
    portal.agent.finish(made.id)
    const { id } = await until('the image', async () => {
      const found = (await ada.trpc.image.list.query()).find((one) => one.name === name)
      return found?.can.delete.ok ? found : null
    })
    return (await ada.trpc.image.delete.mutate({ id })).id
  },
}

for (const error of [null, { code: 'no_space', message: 'The disk is full.' }] as const)
  test(`restarted in the middle, every kind of action ${error ? 'fails' : 'succeeds'} as its host says`, async (t) => {
    const portal = await TestPortal.start({
      prepare: (agent) =>
        agent.images.push({
          ...agent.images.find(({ imageUid }) => imageUid === 'absent-1')!,
          ...{ imageUid: 'cloud-1', name: 'Cloud', source: 'download' as const },
        }),
    })
    t.after(() => portal.stop())
    const ada = await portal.setUp()
    const ids = new Map<string, number>()
    for (const [command, start] of Object.entries(begin)) ids.set(command, await start(ada, portal))
    const rows = () =>
      portal.db.action.findMany({ where: { id: { in: [...ids.values()] } }, orderBy: { id: 'asc' } })
    assert.deepEqual(
      (await rows()).map(({ command }) => command),
      [...ids.keys()],
      'each is the action it is meant to be',
    )

    await portal.restartPortal()
    await portal.untilOnline()
    assert.ok((await rows()).every(({ status }) => status === 'running'))

    // Half of them end while nobody listens, the others after the portal is back.
    const all = [...ids.values()]
    const end = (actionId: number) => portal.agent.finish(actionId, error)
    const port = Number(new URL(portal.url).port)
    await portal.started.stop()
    for (const id of all.filter((_, index) => index % 2 === 0)) end(id)
    await portal.startPortal(port)
    await portal.untilOnline()
    for (const id of all.filter((_, index) => index % 2 === 1)) end(id)
    const ended = await until('all to end', async () => {
      const now = await rows()
      return now.every(({ status }) => status !== 'running') ? now : null
    })
    for (const { command, status, errorMessage, finishedAt } of ended) {
      assert.equal(status, error ? 'error' : 'success', command)
      assert.equal(errorMessage, error ? error.message : null, command)
      assert.ok(finishedAt, command)
    }
    // Nothing is held any more, and nobody is asked the same again.
    assert.equal(await portal.db.vm.count({ where: { heldByActionId: { not: null } } }), 0)
    for (const id of all)
      assert.equal(portal.agent.asked.filter((one) => one.actionId === id).length, 1, `action ${id}`)
  })
