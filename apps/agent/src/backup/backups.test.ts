/** The real agent with a stand-in for hearth-vmm: backups taken, put back, made into VMs, verified, and what goes wrong. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type { BackupReport } from '@hearth/shared/backup'
import { GIB, MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import {
  actionEnd,
  collectEvents,
  nextActionId,
  testSpec,
  until,
  untilState,
} from '../testing/agent-harness.ts'
import { BoxOfVms } from '../testing/box-of-vms.ts'
import { inOwnNetwork } from '../testing/own-network.ts'

inOwnNetwork(import.meta.url, () => {
  const diskBytes = 160 * MIB
  const vms = new BoxOfVms({ imageUid: 'disk', diskBytes, cloudInit: true }, { imageUid: 'memory' })
  let target: string
  // The runner does not wait for one hook before it begins the next.
  before(async () => {
    target = join((await until('the box', () => vms.box)).root, 'backup disk')
  })

  const disk = (vmUid: string) => join(vms.box.state, 'vms', vmUid, 'disk.raw')
  const volume = (volumeUid: string) => join(vms.box.state, 'volumes', volumeUid, 'disk.raw')
  async function write(path: string, data: string | Buffer, at = 4 * MIB) {
    const file = await open(path, 'r+')
    await file.write(Buffer.from(data), 0, undefined, at)
    await file.close()
  }
  async function read(path: string, at = 4 * MIB) {
    const file = await open(path)
    const { buffer } = await file.read(Buffer.alloc(5), 0, 5, at)
    await file.close()
    return buffer.toString()
  }
  const create = (start: boolean) => vms.create({ image: 'disk' }, start)
  async function backup(vmUid: string) {
    const input = { actionId: nextActionId(), vmUid, backupUid: randomUUID() }
    await vms.agent.client.backup.take.mutate(input)
    return { backupUid: input.backupUid, end: await actionEnd(vms.agent, input.actionId) }
  }
  async function taken(vmUid: string): Promise<BackupReport> {
    const { backupUid, end } = await backup(vmUid)
    assert.equal(end.status, 'success', JSON.stringify(end))
    return known(backupUid)
  }
  async function restore(vmUid: string, backupUid: string) {
    const actionId = nextActionId()
    await vms.agent.client.backup.restore.mutate({ actionId, vmUid, backupUid })
    return actionEnd(vms.agent, actionId)
  }
  async function onBackup(what: 'verify' | 'delete', backupUid: string) {
    const actionId = nextActionId()
    await vms.agent.client.backup[what].mutate({ actionId, backupUid })
    return actionEnd(vms.agent, actionId)
  }
  /** As a portal that connects now would learn it. */
  async function all() {
    const { events, stop } = collectEvents(vms.agent)
    const first = await until('the first event', () => events.find((one) => one.type === 'snapshot'))
    stop()
    assert.ok(first.type === 'snapshot')
    return { target: first.backupTarget, backups: first.backups ?? [] }
  }
  async function known(backupUid: string): Promise<BackupReport> {
    const found = (await all()).backups.find((one) => one.backupUid === backupUid)
    assert.ok(found, 'the backup is known')
    return found
  }
  async function chunksOf(vmUid: string): Promise<string[]> {
    const root = join(target, vmUid, 'chunks')
    const names = await readdir(root, { recursive: true })
    return names.filter((name) => name.endsWith('.zst')).map((name) => join(root, name))
  }

  test('without a place nothing is backed up; a place has to be there, and be none of our own', async () => {
    const spec = await create(false)
    await assert.rejects(backup(spec.vmUid), /no place for backups yet/)
    const choose = (folder: string) => vms.agent.client.backup.setTarget.mutate({ folder })
    await assert.rejects(choose(target), /no folder .* on the host/)
    await assert.rejects(choose(join(vms.box.state, 'vms')), /belongs to Hearth itself/)
    await assert.rejects(choose('/etc/../etc'), /whole path/)
    await mkdir(target)
    await writeFile(join(target, 'hearth-backups.json'), '{}')
    await assert.rejects(choose(target), /none of Hearth's/)
    await rm(join(target, 'hearth-backups.json'))
    const report = await choose(target)
    assert.equal(report?.state, 'ready')
    assert.equal(report?.sameDisk, true)
    assert.ok((report?.availableBytes ?? 0) > 0)
  })

  test('a place in memory is told from a disk', async () => {
    const shared = await mkdtemp('/dev/shm/hearth-backups-')
    try {
      const report = await vms.agent.client.backup.setTarget.mutate({ folder: shared })
      assert.equal(report?.inMemory, true)
    } finally {
      await vms.agent.client.backup.setTarget.mutate({ folder: target })
      await rm(shared, { recursive: true })
    }
  })

  test('a second backup writes what has changed; each goes back whole, in place', async () => {
    const spec = await create(false)
    await write(disk(spec.vmUid), randomBytes(8 * MIB), 16 * MIB)
    await write(disk(spec.vmUid), 'first')
    const first = await taken(spec.vmUid)
    assert.equal(first.consistency, 'stopped')
    assert.equal(first.bytes, diskBytes)
    assert.ok(first.storedBytes > 8 * MIB && first.storedBytes < 12 * MIB, String(first.storedBytes))
    await write(disk(spec.vmUid), 'later')
    const second = await taken(spec.vmUid)
    assert.ok(second.storedBytes > 0 && second.storedBytes < 1 * MIB, String(second.storedBytes))

    await write(disk(spec.vmUid), 'wrong')
    assert.equal((await restore(spec.vmUid, first.backupUid)).status, 'success')
    assert.equal(await read(disk(spec.vmUid)), 'first')
    assert.equal((await stat(disk(spec.vmUid))).size, diskBytes)
    assert.ok((await stat(disk(spec.vmUid))).blocks * 512 < 32 * MIB, 'holes stay holes')
    assert.equal((await restore(spec.vmUid, second.backupUid)).status, 'success')
    assert.equal(await read(disk(spec.vmUid)), 'later')

    // What only the deleted one needed goes with it; the other stays whole.
    const before = (await chunksOf(spec.vmUid)).length
    assert.equal((await onBackup('delete', first.backupUid)).status, 'success')
    assert.ok((await chunksOf(spec.vmUid)).length < before)
    assert.equal((await onBackup('verify', second.backupUid)).status, 'success')
    assert.equal((await onBackup('delete', second.backupUid)).status, 'success')
    assert.equal(existsSync(join(target, spec.vmUid)), false)
  })

  test('the files of a backup make the disk again with zstd and a shell, without Hearth', async () => {
    const spec = await create(false)
    await write(disk(spec.vmUid), randomBytes(5 * MIB), 33 * MIB)
    const sum = createHash('sha256')
      .update(await readFile(disk(spec.vmUid)))
      .digest('hex')
    const { backupUid } = await taken(spec.vmUid)
    const out = join(vms.box.root, 'by-hand.raw')
    const docs = await readFile(new URL('../../../../docs/backups.md', import.meta.url), 'utf8')
    const script = /```sh\n(# a disk out of a backup\n[\s\S]*?)```/.exec(docs)?.[1]
    assert.ok(script, 'the documentation says how')
    execFileSync('bash', ['-euc', script], {
      env: { ...process.env, BACKUP: join(target, spec.vmUid, backupUid), FILE: 'disk.raw', OUT: out },
    })
    assert.equal(
      createHash('sha256')
        .update(await readFile(out))
        .digest('hex'),
      sum,
    )
  })

  test('a running VM is held for its copy and runs on; its backup becomes a VM of its own, volumes too', async () => {
    const spec = await create(false)
    const volumeUid = randomUUID()
    const attached: VmSpec = { ...spec, generation: 2, volumes: [{ volumeUid, serial: 'volume-1' }] }
    const making = nextActionId()
    await vms.agent.client.volume.create.mutate({
      ...{ actionId: making, volumeUid, bytes: 1 * GIB, format: null, attach: attached },
    })
    await vms.done(making)
    await write(volume(volumeUid), 'photo')
    await vms.power(spec.vmUid, 'start')
    const { since } = await untilState(vms.agent, spec.vmUid, 'running')
    const made = await taken(spec.vmUid)
    assert.equal((await untilState(vms.agent, spec.vmUid, 'running')).since, since)
    assert.equal(made.consistency, 'paused')
    assert.deepEqual(made.volumes, [{ volumeUid, bytes: GIB }])
    assert.equal(made.bytes, diskBytes + GIB)
    await assert.rejects(restore(spec.vmUid, made.backupUid), /while the VM is stopped/)
    assert.deepEqual(await readdir(join(vms.box.state, 'backup-staging')), [])

    await vms.power(spec.vmUid, 'poweroff')
    const deletion = nextActionId()
    await vms.agent.client.vm.delete.mutate({ actionId: deletion, vmUid: spec.vmUid })
    await vms.done(deletion)
    const to = randomUUID()
    const copy = testSpec({
      ...{ image: 'disk', name: 'copy' },
      volumes: [{ volumeUid: to, serial: 'volume-2' }],
    })
    const actionId = nextActionId()
    const source = { backupUid: made.backupUid, volumes: [{ from: volumeUid, to }] }
    await vms.agent.client.vm.create.mutate({ actionId, spec: copy, start: true, backup: source })
    await vms.done(actionId)
    await untilState(vms.agent, copy.vmUid, 'running')
    assert.equal(await read(volume(to)), 'photo')
    assert.ok(existsSync(join(vms.box.state, 'vms', copy.vmUid, 'seed.iso')))
    const wrong = testSpec({ image: 'disk' })
    await assert.rejects(
      vms.agent.client.vm.create.mutate({
        actionId: nextActionId(),
        spec: wrong,
        start: false,
        backup: source,
      }),
      /do not belong together/,
    )
  })

  test('a changed chunk is found, its backup refused, and mended by the next one', async () => {
    const spec = await create(false)
    await write(disk(spec.vmUid), randomBytes(2 * MIB), 16 * MIB)
    const { backupUid } = await taken(spec.vmUid)
    const [chunk] = await chunksOf(spec.vmUid)
    await writeFile(chunk!, 'not what it was')
    const end = await onBackup('verify', backupUid)
    assert.match(end.error?.message ?? '', /damaged.*Use another one/)
    assert.equal((await known(backupUid)).damaged, true)
    await write(disk(spec.vmUid), 'other', 64 * MIB)
    await assert.rejects(restore(spec.vmUid, backupUid), /damaged/)
    assert.equal(await read(disk(spec.vmUid), 64 * MIB), 'other', 'the disk is untouched')
    await taken(spec.vmUid)
    assert.equal((await known(backupUid)).damaged, false)
    assert.equal((await restore(spec.vmUid, backupUid)).status, 'success')
  })

  test('a target that is gone is said so, nothing is written into what is left of its path, and it comes back', async () => {
    const spec = await create(false)
    const { backupUid } = await taken(spec.vmUid)
    await rename(target, `${target}-away`)
    await mkdir(target)
    await until('the target to be missing', async () => (await all()).target?.state === 'missing')
    await assert.rejects(backup(spec.vmUid), /backup disk is not there/)
    assert.deepEqual(await readdir(target), [])
    // Restarted without it, the agent works, and knows all of it when it is back.
    await vms.restart('SIGTERM')
    await rm(target, { recursive: true })
    await rename(`${target}-away`, target)
    await until('the target to be back', async () => (await all()).target?.state === 'ready')
    assert.equal((await known(backupUid)).vmUid, spec.vmUid)
  })

  test('a disk that fills in the middle leaves no backup and none of its files', async (t) => {
    const spec = await create(false)
    await write(disk(spec.vmUid), randomBytes(4 * MIB), 16 * MIB)
    const small = join(vms.box.root, 'small')
    await mkdir(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80m', 'tmpfs', small])
    t.after(() => execFileSync('umount', ['-l', small]))
    // The agent was born before the mount and sees it all the same: they share their mounts.
    await vms.agent.client.backup.setTarget.mutate({ folder: small })
    const { backupUid, end } = await backup(spec.vmUid)
    assert.equal(end.status, 'success', JSON.stringify(end))
    const used = await readdir(small, { recursive: true })
    await write(disk(spec.vmUid), randomBytes(100 * MIB), 32 * MIB)
    const failed = await backup(spec.vmUid)
    assert.equal(failed.end.error?.code, 'no_space', JSON.stringify(failed.end))
    assert.deepEqual((await readdir(small, { recursive: true })).sort(), used.sort())
    assert.equal((await restore(spec.vmUid, backupUid)).status, 'success')
    await vms.agent.client.backup.setTarget.mutate({ folder: target })
  })

  test('what has been cancelled leaves nothing, and what has no disk has nothing to keep', async () => {
    const memory = await vms.create({ image: 'memory' }, false)
    await assert.rejects(backup(memory.vmUid), /runs from memory/)

    const spec = await create(false)
    await write(disk(spec.vmUid), randomBytes(120 * MIB), 16 * MIB)
    const input = { actionId: nextActionId(), vmUid: spec.vmUid, backupUid: randomUUID() }
    await vms.agent.client.backup.take.mutate(input)
    await vms.agent.client.action.cancel.mutate({ actionId: input.actionId })
    assert.equal((await actionEnd(vms.agent, input.actionId)).error?.code, 'cancelled')
    assert.equal(existsSync(join(target, spec.vmUid)), false)
  })
})
