/** The real agent with a stand-in for hearth-vmm: backups that only their recovery key opens. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { MIB } from '@hearth/shared/units'
import { actionEnd, collectEvents, nextActionId, testSpec, until } from '../testing/agent-harness.ts'
import { BoxOfVms } from '../testing/box-of-vms.ts'
import { inOwnNetwork } from '../testing/own-network.ts'

inOwnNetwork(import.meta.url, () => {
  const vms = new BoxOfVms({ imageUid: 'disk', diskBytes: 32 * MIB, cloudInit: true })
  const key = randomBytes(32).toString('hex')
  let target: string
  before(async () => {
    target = join((await until('the box', () => vms.box)).root, 'backup disk')
    await mkdir(target)
  })

  const disk = (vmUid: string) => join(vms.box.state, 'vms', vmUid, 'disk.raw')
  const sumOf = async (path: string) =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
  const choose = (folder: string | null, wanted?: string) =>
    vms.agent.client.backup.setTarget.mutate({ folder, ...(wanted === undefined ? {} : { key: wanted }) })
  async function write(vmUid: string, data: Buffer | string, at: number) {
    const file = await open(disk(vmUid), 'r+')
    await file.write(Buffer.from(data), 0, undefined, at)
    await file.close()
  }
  async function backup(vmUid: string) {
    const input = { actionId: nextActionId(), vmUid, backupUid: randomUUID() }
    await vms.agent.client.backup.take.mutate(input)
    await vms.done(input.actionId)
    return input.backupUid
  }
  async function reports() {
    const { events, stop } = collectEvents(vms.agent)
    const first = await until('the first event', () => events.find((one) => one.type === 'snapshot'))
    stop()
    assert.ok(first.type === 'snapshot')
    return first.backups ?? []
  }
  const filesIn = async (folder: string) =>
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name))

  test('nothing on the disk tells what it is; the key opens it, here, on another box and by the shell', async () => {
    assert.equal((await choose(target, key.toUpperCase().replace(/.{8}(?!$)/g, '$&-')))?.encrypted, true)
    const spec = await vms.create({ image: 'disk', name: 'diary' }, false)
    const secret = randomBytes(5 * MIB)
    await write(spec.vmUid, secret, 6 * MIB)
    await write(spec.vmUid, 'dear diary '.repeat(1000), 20 * MIB)
    const first = await backup(spec.vmUid)
    const sum = await sumOf(disk(spec.vmUid))
    for (const path of await filesIn(target)) {
      const data = await readFile(path)
      for (const word of [
        'diary',
        'disk.raw"',
        secret.subarray(0, 16),
        Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
      ])
        assert.ok(!data.includes(word) || path.endsWith('.chunks'), path)
    }
    // Not even whether a known piece is among them.
    const piece = createHash('sha256')
      .update((await readFile(disk(spec.vmUid))).subarray(8 * MIB, 12 * MIB))
      .digest('hex')
    assert.ok(!(await filesIn(target)).some((path) => path.includes(piece)))
    assert.equal((await stat(join(vms.box.state, 'backup-target.json'))).mode & 0o077, 0)

    await write(spec.vmUid, 'other', 8 * MIB)
    const second = await backup(spec.vmUid)
    const report = (await reports()).find(({ backupUid }) => backupUid === second)
    assert.ok(report && report.storedBytes > 2 * MIB && report.storedBytes < 4 * MIB, 'only what changed')

    const out = join(vms.box.root, 'by-hand.raw')
    const docs = await readFile(new URL('../../../../docs/backups.md', import.meta.url), 'utf8')
    const script = /```sh\n(# a disk out of a backup\n[\s\S]*?)```/.exec(docs)?.[1]
    assert.ok(script, 'the documentation says how')
    execFileSync('bash', ['-euc', script], {
      env: { ...process.env, BACKUP: join(target, spec.vmUid, first), OUT: out, KEY: key },
    })
    assert.equal(await sumOf(out), sum)

    // A box that knows nothing of it any more.
    await choose(null)
    assert.deepEqual(await reports(), [])
    await assert.rejects(choose(target), /are encrypted. Give their recovery key/)
    await assert.rejects(choose(target, randomBytes(32).toString('hex')), /not the recovery key/)
    await choose(target, key)
    assert.equal((await reports()).find(({ backupUid }) => backupUid === first)?.spec.name, 'diary')
    await vms.restart('SIGKILL')
    // Chosen again as it is, it keeps its key.
    await choose(target)
    const copy = testSpec({ image: 'disk', name: 'copy' })
    const actionId = nextActionId()
    const source = { backupUid: first, volumes: [] }
    await vms.agent.client.vm.create.mutate({ actionId, spec: copy, start: false, backup: source })
    await vms.done(actionId)
    assert.equal(await sumOf(disk(copy.vmUid)), sum)
  })

  test('what somebody changed is found and not restored', async () => {
    const spec = await vms.create({ image: 'disk' }, false)
    await write(spec.vmUid, randomBytes(1 * MIB), 6 * MIB)
    const backupUid = await backup(spec.vmUid)
    const chunk = (await filesIn(join(target, spec.vmUid, 'chunks'))).find((path) =>
      path.endsWith('.zst.enc'),
    )!
    const data = await readFile(chunk)
    data[data.length >> 1]! ^= 1
    await writeFile(chunk, data)
    const actionId = nextActionId()
    await vms.agent.client.backup.verify.mutate({ actionId, backupUid })
    assert.match((await actionEnd(vms.agent, actionId)).error?.message ?? '', /damaged/)

    const manifest = join(target, spec.vmUid, backupUid, 'backup.json')
    const sealed = JSON.parse(await readFile(manifest, 'utf8')) as { sealed: string }
    const bytes = Buffer.from(sealed.sealed, 'base64')
    bytes[40]! ^= 1
    await writeFile(manifest, JSON.stringify({ ...sealed, sealed: bytes.toString('base64') }))
    await vms.restart('SIGTERM')
    assert.ok(!(await reports()).some((one) => one.backupUid === backupUid), 'it is left alone')
  })

  test('a folder stays as it was begun', async () => {
    const plain = join(vms.box.root, 'plain')
    await mkdir(plain)
    assert.equal((await choose(plain))?.encrypted, false)
    await assert.rejects(choose(plain, key), /are not encrypted, and stay so/)
    await assert.rejects(choose(join(plain), 'abc'), /64 digits/)
  })
})
