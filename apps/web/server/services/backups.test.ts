import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { HearthError } from '@hearth/shared/errors'
import { GIB } from '@hearth/shared/units'
import { parseVmSpec } from '@hearth/shared/vm-spec'
import { readyTarget } from '../testing/fake-agent-backups.ts'
import { type Person, TestPortal, tinyVm, until } from '../testing/test-portal.ts'

let portal: TestPortal
let ada: Person
let hostId: number

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
  hostId = (await portal.db.host.findFirstOrThrow()).id
})
after(() => portal.stop())

const folder = '/mnt/backup'
const daily = { every: 'day', minute: 180, weekday: 0, keep: 2 } as const
const list = () => ada.trpc.backup.list.query()
const ofVm = async (vmId: number) => (await list()).vms.find(({ vm }) => vm.id === vmId)!
const backupsOf = async (vmId: number) => (await list()).backups.filter(({ vm }) => vm?.id === vmId)
const lastAsked = () => portal.agent.asked.at(-1)!
const finishLast = (error: { code: 'no_space'; message: string } | null = null) =>
  portal.agent.finish(lastAsked().actionId, error)

async function vmNamed(name: string) {
  const { vm, action } = await ada.trpc.vm.create.mutate({ ...tinyVm(name), diskBytes: 1 * GIB })
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  portal.agent.finish(action.id)
  return until('the VM', async () => {
    const now = await ada.trpc.vm.get.query({ id: vm.id })
    return now.state === 'stopped' && now.action === null ? now : null
  })
}

async function taken(vmId: number) {
  const before = new Set((await backupsOf(vmId)).map(({ id }) => id))
  await ada.trpc.backup.take.mutate({ vmId })
  finishLast()
  return until('the backup', async () =>
    (await backupsOf(vmId)).find(({ id, status }) => status === 'ready' && !before.has(id)),
  )
}

/** As if the plan's time had come. */
async function due() {
  await portal.db.backupPlan.updateMany({ data: { nextAt: new Date(Date.now() - 1000) } })
  await portal.started.portal.backupPlans.look()
}

test('an administrator chooses the place; before that there is none, and what the host refuses is told', async () => {
  const vm = await vmNamed('early')
  await assert.rejects(ada.trpc.backup.take.mutate({ vmId: vm.id }), /no place for backups yet/)
  await assert.rejects(ada.trpc.backup.setPlan.mutate({ hostId, plan: daily }), /Choose where backups go/)
  portal.agent.refusal = new HearthError('invalid_input', 'There is no folder /nowhere on the host.')
  await assert.rejects(
    ada.trpc.backup.setTarget.mutate({ hostId, folder: '/nowhere' }),
    /no folder \/nowhere/,
  )
  const key = '0123456789abcdef'.repeat(4)
  await assert.rejects(ada.trpc.backup.setTarget.mutate({ hostId, folder, key: 'short' }), /64 digits/)
  await ada.trpc.backup.setTarget.mutate({ hostId, folder, key: key.replace(/.{8}/g, '$& ') })
  assert.equal((await list()).hosts[0]?.target?.encrypted, true)
  const [host, said] = [await portal.db.host.findFirstOrThrow(), await portal.db.activity.findMany()]
  assert.ok(!inspect([host, said], { depth: 9 }).includes(key), 'not kept here')
  await ada.trpc.backup.setTarget.mutate({ hostId, folder })
  assert.equal((await list()).hosts[0]?.target?.folder, folder)
  const { id: projectId } = await portal.db.project.findFirstOrThrow()
  const mia = await portal.addPerson('Mia', { [projectId]: 'member' })
  assert.equal((await mia.trpc.backup.list.query()).hosts[0]?.target?.folder, '')
})

test('a backup is taken beside other work, verified, put back, made into a VM with its volumes, and deleted', async () => {
  const vm = await vmNamed('keeper')
  const volume = await ada.trpc.volume.create.mutate({
    vmId: vm.id,
    name: 'photos',
    bytes: GIB,
    format: null,
  })
  finishLast()
  await until('the disk', async () => (await ada.trpc.vm.get.query({ id: vm.id })).action === null)
  const action = await ada.trpc.backup.take.mutate({ vmId: vm.id })
  assert.equal(action.command, 'backup_vm')
  await assert.rejects(ada.trpc.backup.take.mutate({ vmId: vm.id }), /being made already/)
  // It holds nothing: the VM can be changed meanwhile.
  assert.equal((await ada.trpc.vm.get.query({ id: vm.id })).can.start.ok, true)
  portal.agent.progress(action.id, 40, 'Writing to the backup disk')
  await until('its progress', async () => (await backupsOf(vm.id))[0]?.work?.progress === 40)
  portal.agent.finish(action.id)
  const ready = await until('it', async () =>
    (await backupsOf(vm.id)).find(({ status }) => status === 'ready'),
  )
  assert.equal(ready.consistency, 'frozen')
  assert.equal((await ofVm(vm.id)).lastAt, ready.takenAt)

  await ada.trpc.backup.verify.mutate({ id: ready.id })
  assert.equal(lastAsked().path, 'backup.verify')
  await assert.rejects(ada.trpc.backup.delete.mutate({ id: ready.id }), /in use/)
  finishLast()
  await until('it to be idle', async () => (await backupsOf(vm.id))[0]?.work === null)
  const { action: restoring } = await ada.trpc.backup.restore.mutate({ id: ready.id })
  assert.equal(restoring.command, 'restore_backup')
  finishLast()
  await until('the VM to be free', async () => (await ada.trpc.vm.get.query({ id: vm.id })).action === null)

  const made = await ada.trpc.backup.createVm.mutate({ id: ready.id, name: 'copy', start: false })
  const asked = lastAsked().input as { spec: unknown; backup: { volumes: { from: string; to: string }[] } }
  const spec = parseVmSpec(asked.spec)
  const [row] = await portal.db.volume.findMany({ where: { vmId: made.vm.id } })
  const { volumeUid } = await portal.db.volume.findUniqueOrThrow({ where: { id: volume.volume.id } })
  assert.deepEqual(asked.backup.volumes, [{ from: volumeUid, to: row!.volumeUid }])
  assert.deepEqual(spec.volumes, [{ volumeUid: row!.volumeUid, serial: `volume-${row!.id}` }])
  assert.notEqual(spec.mac, vm.mac)
  finishLast()
  await until('its disk', async () => {
    const now = await portal.db.volume.findUniqueOrThrow({ where: { id: row!.id } })
    return now.status === 'ready'
  })

  // The same by the API.
  const { secret } = await ada.trpc.token.create.mutate({ name: 'script', scope: 'write', expiresInDays: 1 })
  const api = async (method: string, where: string, body?: object) => {
    const answer = await portal.api(secret, method, where, body)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const listed = await api('GET', `/hearth/backups?server=${vm.id}`)
  assert.deepEqual(
    (listed.body.backups as { id: number; status: string; size: number }[]).map(({ id, status, size }) => [
      id,
      status,
      size,
    ]),
    [[ready.id, 'ready', 1]],
  )
  const verified = await api('POST', `/hearth/backups/${ready.id}/actions/verify`, {})
  assert.deepEqual(
    [verified.status, (verified.body.action as { command: string }).command],
    [201, 'verify_backup'],
  )
  finishLast()
  await until('it to be idle', async () => (await backupsOf(vm.id))[0]?.work === null)
  const more = await api('POST', `/servers/${vm.id}/actions/create_backup`, {})
  assert.equal(more.status, 201, JSON.stringify(more.body))
  finishLast()
  const { id: second } = more.body.backup as { id: number }
  await until(
    'the second',
    async () =>
      (await api('GET', `/hearth/backups/${second}`)).body !== null &&
      (await backupsOf(vm.id)).every(({ status }) => status === 'ready'),
  )
  assert.equal((await api('DELETE', `/hearth/backups/${second}`, {})).status, 200)
  finishLast()
  await until('it to be gone', async () => (await backupsOf(vm.id)).length === 1)

  // One whose creation fails leaves neither a VM nor a disk.
  portal.agent.refusal = new HearthError('no_space', 'No room.')
  const before = await portal.db.volume.count({ where: { deletedAt: null } })
  await assert.rejects(
    ada.trpc.backup.createVm.mutate({ id: ready.id, name: 'copy-2', start: false }),
    /No room/,
  )
  assert.equal(await portal.db.volume.count({ where: { deletedAt: null } }), before)

  await ada.trpc.backup.delete.mutate({ id: ready.id })
  finishLast()
  await until('it to be gone', async () => (await backupsOf(vm.id)).length === 0)
  const { items } = await ada.trpc.activity.list.query({ query: 'backup of keeper' })
  assert.match(items[0]!.summary, /^Deleted the backup of keeper from \d{4}-/)
})

test('what is cancelled or fails is no backup', async () => {
  const vm = await vmNamed('halfway')
  const action = await ada.trpc.backup.take.mutate({ vmId: vm.id })
  await ada.trpc.backup.cancel.mutate({ id: (await backupsOf(vm.id))[0]!.id })
  assert.deepEqual(lastAsked(), {
    path: 'action.cancel',
    actionId: action.id,
    input: { actionId: action.id },
  })
  await until('it to be gone', async () => (await backupsOf(vm.id)).length === 0)
  assert.equal((await ofVm(vm.id)).error, null)
  await ada.trpc.backup.take.mutate({ vmId: vm.id })
  finishLast({ code: 'no_space', message: 'The backup disk is full.' })
  await until('the failure', async () => (await ofVm(vm.id)).standing === 'failed')
  assert.equal((await ofVm(vm.id)).error, 'The backup disk is full.')
  await taken(vm.id)
  assert.equal((await ofVm(vm.id)).standing, 'good')
})

test('the plan backs every VM up one after the other, keeps so many, and says when one is late', async () => {
  await portal.db.vm.updateMany({ data: { deletedAt: new Date() } })
  const one = await vmNamed('planned-one')
  const two = await vmNamed('planned-two')
  const not = await vmNamed('not-planned')
  await ada.trpc.backup.setIncluded.mutate({ vmId: not.id, included: false })
  await ada.trpc.backup.setPlan.mutate({ hostId, plan: daily })
  const askedFor = () =>
    portal.agent.asked
      .filter(({ path }) => path === 'backup.take')
      .map(({ input }) => (input as { vmUid: string }).vmUid)
  const before = askedFor().length
  for (let round = 0; round < 3; round++) {
    await due()
    await portal.started.portal.backupPlans.look()
    assert.equal(askedFor().slice(before).length, round * 2 + 1, 'one at a time')
    finishLast()
    await until('the first', async () => (await ofVm(one.id)).dueAt === null)
    await portal.started.portal.backupPlans.look()
    // A look may also have deleted one that is too old.
    const second = portal.agent.asked.findLast(({ path }) => path === 'backup.take')!
    portal.agent.finish(second.actionId)
    await until('the second', async () => (await ofVm(two.id)).dueAt === null)
  }
  assert.ok(!askedFor().slice(before).includes(not.vmUid))
  for (const vm of [one, two])
    await until('only two to be kept', async () => {
      await portal.started.portal.backupPlans.look()
      for (const { actionId, status } of portal.agent.actions.values())
        if (status === 'running') portal.agent.finish(actionId)
      return (await backupsOf(vm.id)).length === 2
    })
  assert.equal((await ofVm(not.id)).standing, 'excluded')

  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  portal.agent.setBackupTarget({
    ...readyTarget(folder),
    state: 'missing',
    problem: 'The disk is not there.',
  })
  await until('the disk to be missing', async () => (await list()).hosts[0]?.target?.state === 'missing')
  await due()
  assert.equal((await ofVm(one.id)).error, 'The disk is not there.')
  await portal.db.vmBackup.updateMany({ data: { dueAt: hoursAgo(1), error: null } })
  assert.equal((await ofVm(one.id)).standing, 'waiting')
  await portal.db.vmBackup.updateMany({ data: { dueAt: hoursAgo(3) } })
  assert.equal((await ofVm(one.id)).standing, 'late')
  // When the disk is back, it is made up for.
  portal.agent.setBackupTarget(readyTarget(folder))
  await until('the disk', async () => (await list()).hosts[0]?.target?.state === 'ready')
  await portal.db.vmBackup.updateMany({ data: { triedAt: null } })
  await portal.started.portal.backupPlans.look()
  finishLast()
  await until('it to be good', async () => (await ofVm(one.id)).standing === 'good')
  await ada.trpc.backup.setPlan.mutate({ hostId, plan: null })
})

test('backups of a home that is no more are found on the disk, for administrators, and become VMs here', async () => {
  const vm = await vmNamed('template')
  const known = await taken(vm.id)
  const { backupUid } = await portal.db.backup.findUniqueOrThrow({ where: { id: known.id } })
  const report = portal.agent.backups.get(backupUid)!
  const vmUid = randomUUID()
  portal.agent.setBackup({
    ...report,
    ...{ backupUid: randomUUID(), vmUid, damaged: false },
    spec: { ...report.spec, vmUid, name: 'grandma', image: 'from-another-home' },
  })
  const found = await until('the stranger', async () =>
    (await list()).backups.find(({ vmName }) => vmName === 'grandma'),
  )
  assert.deepEqual([found.vm, found.project], [null, null])
  assert.equal(found.can.restore.ok, false)
  const { id: projectId } = await portal.db.project.findFirstOrThrow()
  const olga = await portal.addPerson('Olga', { [projectId]: 'owner' })
  assert.ok((await olga.trpc.backup.list.query()).backups.every(({ id }) => id !== found.id))
  await assert.rejects(olga.trpc.backup.delete.mutate({ id: found.id }), /whole home/)
  const made = await ada.trpc.backup.createVm.mutate({ id: found.id, name: 'grandma', start: false })
  assert.equal(made.action.command, 'create_vm')
  finishLast()

  // A disk that is changed for another takes its backups with it; they are only forgotten when somebody says so.
  portal.agent.emit({ type: 'backup_removed', backupUid })
  await until('it to be missing', async () => (await backupsOf(vm.id))[0]?.status === 'missing')
  assert.equal(await ada.trpc.backup.delete.mutate({ id: known.id }), null)
  assert.deepEqual(await backupsOf(vm.id), [])
})
