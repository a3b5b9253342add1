/** Images from outside, with the real agent, the real builder and a real server of files. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { ImageOrigin, OwnImage } from '@hearth/shared/image'
import { MIB } from '@hearth/shared/units'
import {
  type AgentProcess,
  actionEnd,
  nextActionId,
  startAgent,
  TestBox,
  testSpec,
  testToken,
  until,
  untilState,
} from '../../apps/agent/src/testing/agent-harness.ts'
import { inOwnNetwork } from '../../apps/agent/src/testing/own-network.ts'
import { aboutBytes, SmallDisk } from '../../apps/agent/src/testing/small-disk.ts'
import { ensureRecipe } from '../recipes/build.ts'
import { type Builder, BuildQueue } from '../recipes/build-queue.ts'
import { builderServer } from '../recipes/builder-server.ts'
import { rawDisk, serveFiles, sha } from './testing.ts'
import { UploadStore } from './uploads.ts'

const disk = rawDisk()

/** `ownDisk`: the store lies on a file system of its own. */
async function start(t: TestContext, { ownDisk = false } = {}) {
  const box = await TestBox.create()
  const small = ownDisk ? new SmallDisk(box.images) : undefined
  const { images } = box
  const build: Builder = async (recipe, options) => {
    await ensureRecipe(recipe, { images, cacheDir: images, ...options })
  }
  const fetches = new BuildQueue(build)
  const uploads = new UploadStore(images)
  const builder: Server = builderServer({
    ...{ images, recipes: [], builds: new BuildQueue(build), fetches, uploads, token: testToken },
  }).listen(0, '127.0.0.1')
  await once(builder, 'listening')
  const builderUrl = `http://127.0.0.1:${(builder.address() as AddressInfo).port}`
  const server = await serveFiles(t)
  server.files.set('/disk.img', { data: disk })
  const agents: AgentProcess[] = []
  t.after(async () => {
    for (const agent of agents) await agent.end('SIGKILL')
    await fetches.stop()
    builder.closeAllConnections()
    builder.close()
    small?.unmount()
    await box.remove()
  })
  const newAgent = async () => {
    const agent = await startAgent(box, { builderUrl })
    agents.push(agent)
    return agent
  }
  return { box, server, fetches, newAgent, small: small! }
}

const image = (imageUid: string): OwnImage => ({
  ...{ imageUid, name: imageUid, description: '', version: '', cloudInit: false, loginUser: null },
  ...{ minMemoryBytes: 64 * MIB, minDiskBytes: 0 },
})
const from = (url: string): ImageOrigin => ({ type: 'address', url, checksum: null, allowPrivate: true })
const reportOf = async ({ client }: AgentProcess, imageUid: string) =>
  (await client.image.list.query()).find((one) => one.imageUid === imageUid)

inOwnNetwork(import.meta.url, () => {
  test('an import is an action with progress; the image is listed with what was found in it', async (t) => {
    const { server, newAgent } = await start(t)
    const agent = await newAgent()
    const actionId = nextActionId()
    await agent.client.image.import.mutate({
      actionId,
      image: image('mine'),
      from: from(`${server.url}/disk.img`),
    })
    assert.equal((await actionEnd(agent, actionId)).status, 'success')
    const ready = await reportOf(agent, 'mine')
    assert.equal(ready?.status, 'ready')
    assert.equal(ready?.sha256, sha('sha256', disk))
    assert.equal(ready?.diskBytes, 3 * MIB)
    assert.deepEqual([ready?.source, ready?.boot], ['import', 'firmware'])
    // Deleted, it is nowhere any more.
    const deletion = nextActionId()
    await agent.client.image.delete.mutate({ actionId: deletion, imageUid: 'mine' })
    assert.equal((await actionEnd(agent, deletion)).status, 'success')
    assert.equal(await reportOf(agent, 'mine'), undefined)
  })

  test('an import goes on after the agent was killed, and ends once', async (t) => {
    const { server, newAgent, box } = await start(t)
    // Breaks without end, until the second agent is there.
    server.files.set('/disk.img', { data: disk, breaks: Array.from({ length: 1000 }, () => 1) })
    const first = await newAgent()
    const actionId = nextActionId()
    await first.client.image.import.mutate({
      actionId,
      image: image('mine'),
      from: from(`${server.url}/disk.img`),
    })
    await until('the download to begin', () => server.asked.length > 0)
    await first.end('SIGKILL')
    const second = await newAgent()
    assert.equal((await second.client.action.get.query({ actionId }))?.status, 'running')
    server.files.set('/disk.img', { data: disk })
    assert.equal((await actionEnd(second, actionId)).status, 'success')
    assert.ok((await readFile(join(box.images, 'mine', 'disk.raw'))).equals(disk))
  })

  test('a cancelled import leaves nothing', async (t) => {
    const { server, newAgent, box } = await start(t)
    server.files.set('/disk.img', { data: disk, breaks: Array.from({ length: 1000 }, () => 1000) })
    const agent = await newAgent()
    const actionId = nextActionId()
    await agent.client.image.import.mutate({
      actionId,
      image: image('mine'),
      from: from(`${server.url}/disk.img`),
    })
    await until('the download to begin', () => server.asked.length > 0)
    await agent.client.action.cancel.mutate({ actionId })
    const ended = await actionEnd(agent, actionId)
    assert.deepEqual([ended.status, ended.error?.code], ['error', 'cancelled'])
    assert.equal(await reportOf(agent, 'mine'), undefined)
    assert.deepEqual(await readdir(join(box.images, '.downloads')), [])
  })

  test('an upload passes through the agent, resumes, and becomes an image', async (t) => {
    const { newAgent, box } = await start(t)
    const agent = await newAgent()
    const uploadUid = randomUUID()
    const send = (method: string, headers: Record<string, string> = {}, body?: Buffer, token = testToken) =>
      fetch(`http://127.0.0.1:${agent.port}/uploads/${uploadUid}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'upload-length': String(disk.length), ...headers },
        ...(body ? { body: new Uint8Array(body) } : {}),
      })
    const patch = (offset: number, body: Buffer) => send('PATCH', { 'upload-offset': String(offset) }, body)
    assert.equal((await send('HEAD', {}, undefined, 'wrong')).status, 404)
    assert.equal((await send('HEAD')).headers.get('upload-offset'), '0')
    assert.equal((await patch(0, disk.subarray(0, MIB))).status, 204)
    assert.equal((await patch(0, disk.subarray(0, MIB))).status, 409, 'that part is here already')
    assert.equal((await send('HEAD')).headers.get('upload-offset'), String(MIB))
    // What lies between the boot sector and the end is empty.
    const zeros = await send('PATCH', { 'upload-offset': String(MIB), 'upload-zeros': String(MIB) })
    assert.equal(zeros.headers.get('upload-offset'), String(2 * MIB))
    const origin: ImageOrigin = {
      ...{ type: 'upload', uploadUid, fileName: 'disk.img', bytes: disk.length },
      checksum: { algorithm: 'sha256', hex: sha('sha256', disk) },
    }
    const early = nextActionId()
    await agent.client.image.import.mutate({ actionId: early, image: image('up'), from: origin })
    assert.match((await actionEnd(agent, early)).error?.message ?? '', /not complete/)
    // That attempt threw nothing away that could not be sent again.
    for (let at = Number((await send('HEAD')).headers.get('upload-offset')); at < disk.length; at += MIB)
      assert.equal((await patch(at, disk.subarray(at, at + MIB))).status, 204)
    const actionId = nextActionId()
    await agent.client.image.import.mutate({ actionId, image: image('up'), from: origin })
    const ended = await actionEnd(agent, actionId)
    assert.equal(ended.status, 'success', JSON.stringify(ended.error))
    assert.ok((await readFile(join(box.images, 'up', 'disk.raw'))).equals(disk))
    assert.deepEqual(await readdir(join(box.images, '.uploads')), [])
  })

  test('an image is made of a stopped VM only, and VMs are made of it; deleting it leaves them', async (t) => {
    const { newAgent, box } = await start(t)
    await box.addImage({ imageUid: 'test', diskBytes: 8 * MIB })
    const agent = await newAgent()
    const { client } = agent
    const spec = testSpec({ diskBytes: 1024 * MIB })
    await client.vm.create.mutate({ actionId: nextActionId(), spec, start: true })
    await untilState(agent, spec.vmUid, 'running')
    const own = { vmUid: spec.vmUid, image: image('golden') }
    await assert.rejects(client.image.create.mutate({ actionId: nextActionId(), ...own }), /Shut the VM down/)
    await client.vm.power.mutate({ actionId: nextActionId(), vmUid: spec.vmUid, op: 'poweroff' })
    await untilState(agent, spec.vmUid, 'stopped')
    const actionId = nextActionId()
    await client.image.create.mutate({ actionId, ...own })
    const ended = await actionEnd(agent, actionId)
    assert.equal(ended.status, 'success', JSON.stringify(ended.error))
    const golden = await reportOf(agent, 'golden')
    assert.deepEqual([golden?.status, golden?.source, golden?.boot], ['ready', 'vm', 'direct'])
    const copy = await stat(join(box.state, 'images', 'golden', 'disk.raw'))
    assert.equal(copy.size, 1024 * MIB)
    assert.ok(copy.blocks * 512 < 16 * MIB, 'holes stay holes')
    const second = testSpec({ image: 'golden', diskBytes: 1024 * MIB })
    const creation = nextActionId()
    await client.vm.create.mutate({ actionId: creation, spec: second, start: false })
    assert.equal((await actionEnd(agent, creation)).status, 'success')
    const deletion = nextActionId()
    await client.image.delete.mutate({ actionId: deletion, imageUid: 'golden' })
    assert.equal((await actionEnd(agent, deletion)).status, 'success')
    await client.vm.power.mutate({ actionId: nextActionId(), vmUid: second.vmUid, op: 'start' })
    await untilState(agent, second.vmUid, 'running')
  })

  test('the disk fills up in the middle of a download: it is said, no image is there, and it goes on with room', async (t) => {
    const { server, newAgent, box, small } = await start(t, { ownDisk: true })
    const large = rawDisk(16 * MIB).fill(1, MIB, 15 * MIB)
    server.files.set('/disk.img', { data: large, halfway: () => small.shrink(12 * MIB) })
    const agent = await newAgent()
    const mine = { image: image('mine'), from: from(`${server.url}/disk.img`) }
    const actionId = nextActionId()
    await agent.client.image.import.mutate({ actionId, ...mine })
    const failed = await actionEnd(agent, actionId)
    assert.equal(failed.status, 'error')
    assert.match(failed.error?.message ?? '', /^The disk with .* is full\. Free some space and try again\.$/)
    assert.equal((await reportOf(agent, 'mine'))?.status, 'failed')
    assert.deepEqual(
      (await readdir(box.images)).filter((name) => !name.startsWith('.')),
      [],
    )
    small.enlarge()
    server.files.set('/disk.img', { data: large })
    const again = nextActionId()
    await agent.client.image.import.mutate({ actionId: again, ...mine })
    assert.equal((await actionEnd(agent, again)).status, 'success')
    assert.match(
      server.asked.at(-1)?.range ?? '',
      /^bytes=[1-9]\d*-$/,
      'what had come is not asked for again',
    )
    assert.ok((await readFile(join(box.images, 'mine', 'disk.raw'))).equals(large))
    const deletion = nextActionId()
    await agent.client.image.delete.mutate({ actionId: deletion, imageUid: 'mine' })
    assert.equal((await actionEnd(agent, deletion)).status, 'success')
    assert.ok((await small.usedBytes()) < aboutBytes, 'the space is back')
  })

  test('the disk fills up in the middle of an upload: it is said, and it goes on where it stands', async (t) => {
    const { newAgent, box, small } = await start(t, { ownDisk: true })
    const agent = await newAgent()
    const uploadUid = randomUUID()
    const bytes = randomBytes(12 * MIB)
    const send = (method: string, at?: number, body?: BodyInit) =>
      fetch(`http://127.0.0.1:${agent.port}/uploads/${uploadUid}`, {
        method,
        headers: {
          ...{ authorization: `Bearer ${testToken}`, 'upload-length': String(bytes.length) },
          ...(at === undefined ? {} : { 'upload-offset': String(at) }),
        },
        ...(body === undefined ? {} : { body, duplex: 'half' }),
      })
    const path = join(box.images, '.uploads', `${uploadUid}.part`)
    async function* slowly() {
      yield bytes.subarray(0, 4 * MIB)
      await until('the first of it', async () => (await stat(path).catch(() => null))?.size === 4 * MIB)
      small.shrink(6 * MIB)
      yield bytes.subarray(4 * MIB, 10 * MIB)
    }
    const refused = await send('PATCH', 0, Readable.toWeb(Readable.from(slowly())) as BodyInit)
    assert.equal(refused.status, 507)
    assert.match(await refused.text(), /The disk of the host is full\. Free some space, then go on/)
    const nearly = await send(
      'PATCH',
      Number((await send('HEAD')).headers.get('upload-offset')),
      new Uint8Array(9),
    )
    assert.match(await nearly.text(), /nearly full/)
    small.enlarge()
    const at = Number((await send('HEAD')).headers.get('upload-offset'))
    assert.ok(at >= 4 * MIB && at <= 6 * MIB, String(at))
    assert.equal((await send('PATCH', at, bytes.subarray(at))).status, 204)
    assert.ok((await readFile(path)).equals(bytes))
    assert.equal((await send('DELETE')).status, 204)
    assert.ok((await small.usedBytes()) < aboutBytes, 'the space is back')
  })
})
