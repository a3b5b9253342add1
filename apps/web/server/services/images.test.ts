import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { GIB } from '@hearth/shared/units'
import { codeFrom, createRunning, newKey, type Person, TestPortal, until } from '../testing/test-portal.ts'

async function start(t: TestContext): Promise<{ portal: TestPortal; ada: Person }> {
  const portal = await TestPortal.start()
  t.after(() => portal.stop())
  return { portal, ada: await portal.setUp() }
}

const address = { name: 'Our Debian', loginUser: 'debian', url: 'https://example.org/debian.qcow2' }
const named = async (person: Person, name: string) =>
  (await person.trpc.image.list.query()).find((image) => image.name === name)
const settled = (person: Person, name: string, status: string) =>
  until(`${name} to be ${status}`, async () => {
    const image = await named(person, name)
    return image?.status === status && image.action === null ? image : null
  })

/** What the host tells of an image when it has it. */
function tellReady(portal: TestPortal, imageUid: string): void {
  const [model] = portal.agent.images
  portal.agent.emit({
    type: 'image',
    image: {
      ...model!,
      imageUid,
      source: 'import',
      boot: 'firmware',
      sha256: 'a'.repeat(64),
      minDiskBytes: GIB,
    },
  })
}

test('an import is an action; ready, it can be used, renamed, protected and deleted', async (t) => {
  const { portal, ada } = await start(t)
  const action = await ada.trpc.image.import.mutate(address)
  assert.equal(action.command, 'import_image')
  assert.deepEqual(portal.agent.asked.at(-1)?.input, {
    actionId: action.id,
    image: {
      ...{ imageUid: 'our-debian', name: 'Our Debian', description: '', version: '', cloudInit: true },
      ...{ loginUser: 'debian', minMemoryBytes: 512 * 1024 * 1024, minDiskBytes: GIB },
    },
    from: { type: 'address', url: address.url, checksum: null, allowPrivate: false },
  })
  assert.equal((await named(ada, 'Our Debian'))?.status, 'building')
  tellReady(portal, 'our-debian')
  portal.agent.finish(action.id)
  const ready = await settled(ada, 'Our Debian', 'ready')
  assert.deepEqual([ready.sha256, ready.can.use.ok, ready.project?.id], ['a'.repeat(64), true, 1])
  // The same name again is another image.
  const second = await ada.trpc.image.import.mutate(address)
  assert.match(second.image?.uid ?? '', /^our-debian-[0-9a-f]{6}$/)
  portal.agent.finish(second.id, { code: 'cancelled', message: 'This was cancelled.' })

  const { id } = ready
  assert.equal((await ada.trpc.image.update.mutate({ id, name: 'Ours' })).name, 'Ours')
  await ada.trpc.image.update.mutate({ id, deleteProtected: true })
  assert.equal(await codeFrom(ada.trpc.image.delete.mutate({ id })), 'invalid_state')
  await ada.trpc.image.update.mutate({ id, deleteProtected: false })
  const deletion = await ada.trpc.image.delete.mutate({ id })
  portal.agent.emit({ type: 'image_removed', imageUid: 'our-debian' })
  portal.agent.finish(deletion.id)
  await until('it to be gone', async () => !(await named(ada, 'Ours')))
  assert.equal(await codeFrom(ada.trpc.image.get.query({ id })), 'not_found')
})

test('a failed import stays with its reason and is tried again under its name; a cancelled one goes', async (t) => {
  const { portal, ada } = await start(t)
  const first = await ada.trpc.image.import.mutate(address)
  portal.agent.finish(first.id, { code: 'image_build_failed', message: 'The file is not the one.' })
  const failed = await settled(ada, 'Our Debian', 'failed')
  assert.equal(failed.error, 'The file is not the one.')
  assert.equal(failed.can.use.ok, false)
  // What the administrators allowed since counts for the next attempt.
  await ada.trpc.image.setSettings.mutate({ allowPrivateImports: true })
  const again = await ada.trpc.image.retry.mutate({ id: failed.id })
  const asked = portal.agent.asked.at(-1)?.input as { image: object; from: object }
  assert.deepEqual(asked.from, { type: 'address', url: address.url, checksum: null, allowPrivate: true })
  await ada.trpc.image.cancel.mutate({ id: failed.id })
  await until('it to be gone', async () => !(await named(ada, 'Our Debian')))
  const [last] = await ada.trpc.action.list.query({ limit: 1 })
  assert.deepEqual([last?.id, last?.error?.code], [again.id, 'cancelled'])
})

test('what is wrong with a request is said beside its field, and leaves nothing', async (t) => {
  const { portal, ada } = await start(t)
  for (const wrong of [
    { url: 'ftp://example.org/a' },
    { url: 'https://example.org' },
    { checksum: 'abc' },
    { name: ' ' },
    { loginUser: 'Root User' },
    { loginUser: null },
  ])
    assert.equal(
      await codeFrom(ada.trpc.image.import.mutate({ ...address, ...wrong })),
      'invalid_input',
      JSON.stringify(wrong),
    )
  portal.agent.refusal = null
  assert.equal(await portal.db.image.count({ where: { source: 'import' } }), 0)
  assert.equal(await portal.db.action.count(), 0)
})

test('an image belongs to its project; only an administrator gives one to the whole home', async (t) => {
  const { portal, ada } = await start(t)
  const other = await portal.db.project.create({ data: { name: 'Elsewhere' } })
  const otto = await portal.addPerson('Otto', { [other.id]: 'owner' })
  assert.equal(await codeFrom(otto.trpc.image.import.mutate({ ...address, visibility: 'home' })), 'forbidden')
  assert.equal(await codeFrom(otto.trpc.image.build.mutate({ imageUid: 'absent-1' })), 'forbidden')
  const action = await otto.trpc.image.import.mutate({ ...address, name: 'Ottos own' })
  tellReady(portal, 'ottos-own')
  portal.agent.finish(action.id)
  const image = await settled(otto, 'Ottos own', 'ready')
  assert.equal(image.project?.name, 'Elsewhere')
  const mia = await portal.addPerson('Mia', { 1: 'member' })
  assert.equal(await named(mia, 'Ottos own'), undefined)
  await ada.trpc.image.update.mutate({ id: image.id, visibility: 'home' })
  assert.equal((await named(mia, 'Ottos own'))?.can.use.ok, true)
  assert.equal((await named(otto, 'Ottos own'))?.can.delete.ok, false)
})

test('an upload goes past the portal to the host, part by part, for whoever began it', async (t) => {
  const { portal, ada } = await start(t)
  const bytes = 3_000_000
  const image = await ada.trpc.image.beginUpload.mutate({
    ...{ name: 'Uploaded', cloudInit: false, fileName: 'disk.img', bytes },
  })
  assert.equal(image.status, 'uploading')
  const part = (offset: number, length: number, headers: Record<string, string> = {}) =>
    fetch(`${portal.url}/uploads/${image.id}`, {
      method: 'PATCH',
      headers: { cookie: ada.cookie, origin: portal.url, 'upload-offset': String(offset), ...headers },
      body: new Uint8Array(length),
    })
  assert.equal((await part(0, 10, { cookie: '' })).status, 401)
  assert.equal((await part(0, 10, { origin: 'http://elsewhere.example' })).status, 403)
  const mia = await portal.addPerson('Mia', { 1: 'owner' })
  assert.equal((await part(0, 10, { cookie: mia.cookie })).status, 404)
  assert.equal((await part(0, 17 * 1024 * 1024)).status, 413)
  assert.equal((await part(0, 2_000_000)).status, 204)
  assert.equal((await part(0, 2_000_000)).status, 409)
  assert.equal(await codeFrom(ada.trpc.image.finishUpload.mutate({ id: image.id })), 'invalid_state')
  // The portal remembers nothing of it: a restart costs nothing.
  await portal.restartPortal()
  await portal.untilOnline()
  const again = await portal.signIn()
  const stands = await fetch(`${portal.url}/uploads/${image.id}`, {
    method: 'HEAD',
    headers: { cookie: again.cookie },
  })
  assert.equal(stands.headers.get('upload-offset'), '2000000')
  assert.equal((await part(2_000_000, 1_000_000, { cookie: again.cookie })).status, 204)
  const action = await again.trpc.image.finishUpload.mutate({ id: image.id })
  const asked = portal.agent.asked.at(-1)?.input as { from: { type: string; bytes: number } }
  assert.deepEqual([asked.from.type, asked.from.bytes], ['upload', bytes])
  portal.agent.finish(action.id, { code: 'image_build_failed', message: 'This is no disk image.' })
  const failed = await settled(again, 'Uploaded', 'failed')
  assert.equal(failed.upload, null)
  assert.equal(await codeFrom(again.trpc.image.retry.mutate({ id: failed.id })), 'invalid_state')
})

test('an upload that is given up leaves nothing on the host', async (t) => {
  const { portal, ada } = await start(t)
  const image = await ada.trpc.image.beginUpload.mutate({
    ...{ name: 'Given up', cloudInit: false, fileName: 'disk.img', bytes: 10 },
  })
  const { uploadUid } = await portal.db.upload.findFirstOrThrow()
  portal.agent.uploads.set(uploadUid, 5)
  await ada.trpc.image.dropUpload.mutate({ id: image.id })
  assert.equal(portal.agent.uploads.size, 0)
  assert.equal(await named(ada, 'Given up'), undefined)
})

test('an image of a VM is made while it is off, and holds it meanwhile', async (t) => {
  const { portal, ada } = await start(t)
  const vm = await createRunning(portal, ada, 'source')
  const input = { vmId: vm.id, name: 'Golden' }
  assert.equal(await codeFrom(ada.trpc.image.fromVm.mutate(input)), 'invalid_state')
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  await until('it to be off', async () => (await ada.trpc.vm.get.query({ id: vm.id })).can.start.ok)
  // It runs from memory alone: there is no disk.
  assert.equal(await codeFrom(ada.trpc.image.fromVm.mutate(input)), 'invalid_state')
  await portal.db.vm.update({ where: { id: vm.id }, data: { diskBytes: BigInt(2 * GIB) } })
  const action = await ada.trpc.image.fromVm.mutate(input)
  assert.equal(action.command, 'create_image')
  const power = { id: vm.id, op: 'start', idempotencyKey: newKey() } as const
  assert.equal(await codeFrom(ada.trpc.vm.power.mutate(power)), 'locked')
  portal.agent.finish(action.id, { code: 'no_space', message: 'This host is full.' })
  assert.equal((await settled(ada, 'Golden', 'failed')).error, 'This host is full.')
  assert.equal((await ada.trpc.vm.get.query({ id: vm.id })).can.start.ok, true)
})

test('an image that its host lost says so, and is of no use', async (t) => {
  const { portal, ada } = await start(t)
  const action = await ada.trpc.image.import.mutate({ ...address, name: 'Installer' })
  const [model] = portal.agent.images
  const iso = { ...model!, imageUid: 'installer', source: 'import', kind: 'iso', boot: 'firmware' } as const
  portal.agent.emit({ type: 'image', image: iso })
  portal.agent.finish(action.id)
  const ready = await settled(ada, 'Installer', 'ready')
  assert.deepEqual([ready.kind, ready.can.use.ok], ['iso', true])
  portal.agent.emit({ type: 'image_removed', imageUid: 'installer' })
  const lost = await settled(ada, 'Installer', 'failed')
  assert.match(lost.error ?? '', /does not have this image/)
  assert.equal(lost.can.use.ok, false)
})
