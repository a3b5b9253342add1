import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GIB } from '@hearth/shared/units'
import { createRunning, TestPortal, until } from '../testing/test-portal.ts'

interface Made {
  image: { id: number; name: string; description: string; type: string; status: string }
  action: { id: number; command: string; resources: { id: number; type: string }[] }
}

test('a script imports an image, names it, makes one of a server, and deletes them', async (t) => {
  const portal = await TestPortal.start()
  t.after(() => portal.stop())
  const ada = await portal.setUp()
  const { secret } = await ada.trpc.token.create.mutate({ name: 'ci', scope: 'write', expiresInDays: 1 })
  const call = async <T>(method: string, where: string, status: number, body?: unknown): Promise<T> => {
    const response = await portal.api(secret, method, where, body)
    const text = await response.text()
    assert.equal(response.status, status, text)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  const url = 'https://example.org/debian.qcow2'
  const refused = await call<{ error: { message: string } }>('POST', '/hearth/images', 422, {
    ...{ name: 'Ours', url, checksum: 'short' },
  })
  assert.match(refused.error.message, /^checksum: /)
  const imported = await call<Made>('POST', '/hearth/images', 201, {
    name: 'Ours',
    url,
    login_user: 'debian',
  })
  assert.deepEqual(
    [imported.image.name, imported.image.description, imported.image.type, imported.image.status],
    ['ours', 'Ours', 'snapshot', 'creating'],
  )
  assert.equal(imported.action.command, 'create_image')
  assert.deepEqual(imported.action.resources, [{ id: imported.image.id, type: 'image' }])
  const [model] = portal.agent.images
  portal.agent.emit({ type: 'image', image: { ...model!, imageUid: 'ours', source: 'import' } })
  portal.agent.finish(imported.action.id)
  const { id } = imported.image
  await until('it to be there', async () => {
    const { image } = await call<Made>('GET', `/images/${id}`, 200)
    return image.status === 'available'
  })
  const renamed = await call<Made>('PUT', `/images/${id}`, 200, { description: 'Ours, renamed' })
  assert.equal(renamed.image.description, 'Ours, renamed')

  const vm = await createRunning(portal, ada, 'source')
  await portal.db.vm.update({ where: { id: vm.id }, data: { diskBytes: BigInt(2 * GIB) } })
  portal.agent.setVm(vm.vmUid, { state: 'stopped' })
  await until('it to be off', async () => (await ada.trpc.vm.get.query({ id: vm.id })).can.start.ok)
  const made = await call<Made>('POST', `/servers/${vm.id}/actions/create_image`, 201, {
    description: 'Golden',
  })
  assert.deepEqual([made.image.name, made.image.description], ['golden', 'Golden'])

  const protection = (on: boolean) =>
    call<Made>('POST', `/images/${id}/actions/change_protection`, 201, { delete: on })
  const guarded = await protection(true)
  assert.deepEqual(
    [guarded.action.command, guarded.action.resources],
    ['change_protection', [{ id, type: 'image' }]],
  )
  await call('DELETE', `/images/${id}`, 409)
  await protection(false)
  await call('DELETE', `/images/${id}`, 204)
  assert.equal(portal.agent.asked.at(-1)?.path, 'image.delete')
})

test('a script uploads an image in parts with its token, and goes on where it stood', async (t) => {
  const portal = await TestPortal.start()
  t.after(() => portal.stop())
  const ada = await portal.setUp()
  const token = async (scope: 'read' | 'write', name: string) =>
    (await ada.trpc.token.create.mutate({ name, scope, expiresInDays: 1 })).secret
  const secret = await token('write', 'ci')
  const ask = async (where: string, status: number, body: unknown) => {
    const response = await portal.api(secret, 'POST', where, body)
    const text = await response.text()
    assert.equal(response.status, status, text)
    return JSON.parse(text) as Made & { upload: { path: string; part_bytes: number } }
  }
  const announced = { name: 'From a script', file_name: 'disk.img', bytes: 3_000_000 }
  await ask('/hearth/uploads', 422, { ...announced, bytes: 0 })
  const { image, upload } = await ask('/hearth/uploads', 201, announced)
  assert.deepEqual(upload, { path: `/uploads/${image.id}`, part_bytes: 16 * 1024 * 1024 })

  const send = (method: string, bearer: string, headers: Record<string, string> = {}, length = 0) =>
    fetch(portal.url + upload.path, {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...headers },
      ...(length > 0 ? { body: new Uint8Array(length) } : {}),
    })
  const part = (bearer: string, offset: number, length: number) =>
    send('PATCH', bearer, { 'upload-offset': String(offset) }, length)
  assert.equal((await part('hearth_wrong', 0, 10)).status, 401)
  assert.equal((await part(await token('read', 'looker'), 0, 10)).status, 403)
  const other = await ada.trpc.project.create.mutate({ name: 'Other' })
  const { secret: elsewhere } = await ada.trpc.token.create.mutate({
    ...{ name: 'elsewhere', scope: 'write', expiresInDays: 1, projectId: other.id },
  })
  assert.equal((await part(elsewhere, 0, 10)).status, 404)
  assert.equal((await part(secret, 0, 2_000_000)).status, 204)
  await ask(`/hearth${upload.path}/actions/finish`, 409, {})
  const stands = await send('HEAD', secret)
  assert.equal(stands.headers.get('upload-offset'), '2000000')
  assert.equal((await part(secret, 2_000_000, 1_000_000)).status, 204)
  const { action } = await ask(`/hearth${upload.path}/actions/finish`, 201, {})
  assert.deepEqual(action.resources, [{ id: image.id, type: 'image' }])
  const asked = portal.agent.asked.at(-1)?.input as { from: { type: string; bytes: number } }
  assert.deepEqual([asked.from.type, asked.from.bytes], ['upload', 3_000_000])
})
