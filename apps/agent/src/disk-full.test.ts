/**
 * The real agent with a stand-in for hearth-vmm, on a disk that fills up when the work has begun and looked whether there
 * is room: a clear error, nothing of it left behind, the space is back, and once there is room again it comes to its end.
 */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import {
  type AgentProcess,
  actionEnd,
  nextActionId,
  startAgent,
  TestBox,
  testSpec,
  vmReport,
} from './testing/agent-harness.ts'
import { inOwnNetwork } from './testing/own-network.ts'
import { aboutBytes, SmallDisk } from './testing/small-disk.ts'

inOwnNetwork(import.meta.url, () => {
  const contentBytes = 24 * MIB
  let box: TestBox
  let state: SmallDisk
  let target: SmallDisk
  let agent: AgentProcess
  let spec: VmSpec

  type Begin = (actionId: number) => Promise<unknown>
  const disk = (vmUid = spec.vmUid) => join(box.state, 'vms', vmUid, 'disk.raw')
  /** Run by the next `cp` before it copies. */
  const meanwhile = () => join(box.root, 'meanwhile')

  async function end(begin: Begin) {
    const actionId = nextActionId()
    await begin(actionId)
    return actionEnd(agent, actionId)
  }
  async function done(begin: Begin) {
    const report = await end(begin)
    assert.equal(report.status, 'success', JSON.stringify(report))
  }
  async function write(word: string) {
    const file = await open(disk(), 'r+')
    await file.write(
      Buffer.concat([Buffer.from(word.padEnd(8)), randomBytes(contentBytes)]),
      0,
      undefined,
      MIB,
    )
    await file.close()
  }
  async function read(path: string): Promise<string> {
    const file = await open(path)
    const { buffer } = await file.read(Buffer.alloc(8), 0, 8, MIB)
    await file.close()
    return buffer.toString().trim()
  }
  async function leftovers(): Promise<string[]> {
    const names = await Promise.all(
      [box.state, target.folder].map((folder) => readdir(folder, { recursive: true })),
    )
    return names.flat().filter((name) => /(^|\/)\.tmp-|backup-staging\/./.test(name))
  }

  /** Fails when `full` fills up in the middle of it, and succeeds afterwards; `begin` is asked anew each time. */
  async function failsThenSucceeds(
    full: SmallDisk,
    message: RegExp,
    begin: () => Begin,
    failed?: () => unknown,
  ) {
    const before = [await state.usedBytes(), await target.usedBytes()]
    const room = (await full.usedBytes()) + contentBytes / 3
    await writeFile(meanwhile(), full.shrinking(room))
    const report = await end(begin()).finally(() => full.enlarge())
    assert.equal(existsSync(meanwhile()), false, 'it was not full before')
    assert.deepEqual([report.status, report.error?.code], ['error', 'no_space'], JSON.stringify(report))
    assert.match(report.error?.message ?? '', message)
    assert.deepEqual(await leftovers(), [])
    const after = [await state.usedBytes(), await target.usedBytes()]
    for (const [i, bytes] of after.entries())
      assert.ok(bytes < before[i]! + aboutBytes, `${bytes - before[i]!} bytes are left behind`)
    await failed?.()
    await done(begin())
  }

  before(async () => {
    box = await TestBox.create()
    await box.addImage({ imageUid: 'disk', diskBytes: 2 * contentBytes, cloudInit: true })
    await writeFile(join(box.images, 'disk', 'disk.raw'), randomBytes(2 * contentBytes))
    state = new SmallDisk(box.state)
    target = new SmallDisk(join(box.root, 'backup disk'))
    const bin = join(box.root, 'bin')
    await mkdir(bin)
    // As if somebody else took the room, just when the copying begins.
    // It is asked for a trial of shared blocks as well, which is no copy.
    const script = `#!/bin/sh
      case "$*" in *--sparse=*) [ -e ${meanwhile()} ] && sh -e ${meanwhile()} && rm ${meanwhile()};; esac
      exec /bin/cp "$@"`
    await writeFile(join(bin, 'cp'), script, { mode: 0o755 })
    process.env.PATH = `${bin}:${process.env.PATH}`
    agent = await startAgent(box)
    await agent.client.backup.setTarget.mutate({ folder: target.folder })
    spec = testSpec({ image: 'disk', diskBytes: 1 * GIB })
    await done((actionId) => agent.client.vm.create.mutate({ actionId, spec, start: false }))
    await write('now')
  })
  after(async () => {
    await agent.end('SIGTERM')
    for (const disk of [state, target]) disk.unmount()
    await box.remove()
  })

  const hostFull = /^The disk of this host is full\. Delete something, then try again\.$/

  test('a VM that is made', async () => {
    const made = testSpec({ image: 'disk', diskBytes: 1 * GIB })
    const begin = () => (actionId: number) =>
      agent.client.vm.create.mutate({ actionId, spec: made, start: false })
    await failsThenSucceeds(state, hostFull, begin, async () => {
      assert.equal(await vmReport(agent, made.vmUid), undefined)
      assert.equal(existsSync(join(box.state, 'vms', made.vmUid)), false)
    })
  })

  test('a snapshot, going back to one, and a VM made from one', async () => {
    const { vmUid } = spec
    let snapshotUid = ''
    await failsThenSucceeds(state, hostFull, () => (actionId) => {
      snapshotUid = randomUUID()
      return agent.client.vm.snapshot.mutate({ actionId, vmUid, snapshotUid })
    })
    await write('later')
    const back = () => (actionId: number) => agent.client.vm.restore.mutate({ actionId, vmUid, snapshotUid })
    await failsThenSucceeds(state, hostFull, back, async () => assert.equal(await read(disk()), 'later'))
    assert.equal(await read(disk()), 'now')
    const copy = testSpec({ image: 'disk', diskBytes: 1 * GIB })
    await failsThenSucceeds(
      state,
      hostFull,
      () => (actionId) => agent.client.vm.create.mutate({ actionId, spec: copy, start: false, snapshotUid }),
      async () => assert.equal(await vmReport(agent, copy.vmUid), undefined),
    )
    assert.equal(await read(disk(copy.vmUid)), 'now')
  })

  test('an image made of a VM, and a VM that is rebuilt', async () => {
    const image = {
      ...{
        imageUid: 'golden',
        name: 'golden',
        description: '',
        version: '',
        cloudInit: false,
        loginUser: null,
      },
      ...{ minMemoryBytes: 64 * MIB, minDiskBytes: 0 },
    }
    await failsThenSucceeds(
      state,
      hostFull,
      () => (actionId) => agent.client.image.create.mutate({ actionId, vmUid: spec.vmUid, image }),
      async () => {
        const listed = (await agent.client.image.list.query()).find(({ imageUid }) => imageUid === 'golden')
        assert.equal(listed?.status, 'failed')
      },
    )
    const rebuilt = { ...spec, image: 'golden', generation: 2 }
    await failsThenSucceeds(
      state,
      hostFull,
      () => (actionId) => agent.client.vm.rebuild.mutate({ actionId, spec: rebuilt, start: false }),
      async () => {
        assert.equal(await read(disk()), 'now')
        assert.equal((await vmReport(agent, spec.vmUid))?.generation, 1)
      },
    )
  })

  test('a backup: the disk of the host, and the backup disk', async () => {
    const { vmUid } = spec
    let backupUid = ''
    const begin = () => (actionId: number) => {
      backupUid = randomUUID()
      return agent.client.backup.take.mutate({ actionId, vmUid, backupUid })
    }
    await failsThenSucceeds(state, hostFull, begin)
    await write('more')
    const full =
      /^The backup disk \(.*\) is full; this backup was not made\. Delete old backups or keep fewer\.$/
    await failsThenSucceeds(target, full, begin)
    await done((actionId) => agent.client.backup.verify.mutate({ actionId, backupUid }))
  })

  test('a new disk with a file system', async () => {
    const volumeUid = randomUUID()
    const room = (await state.usedBytes()) + MIB / 8
    state.shrink(room)
    const begin: Begin = (actionId) =>
      agent.client.volume.create.mutate({ actionId, volumeUid, bytes: 64 * GIB, format: 'ext4' })
    const report = await end(begin)
    assert.deepEqual([report.status, report.error?.code], ['error', 'no_space'], JSON.stringify(report))
    assert.match(report.error?.message ?? '', hostFull)
    assert.deepEqual(await leftovers(), [])
    assert.ok((await state.usedBytes()) < room)
    state.enlarge()
    await done(begin)
  })

  test('on a disk without any room nothing is begun, but VMs are powered off and what makes room is done', async () => {
    const { vmUid } = spec
    const snapshotUid = randomUUID()
    await done((actionId) => agent.client.vm.snapshot.mutate({ actionId, vmUid, snapshotUid }))
    await done((actionId) => agent.client.vm.power.mutate({ actionId, vmUid, op: 'start' }))
    const used = await state.usedBytes()
    state.shrink(used)
    await assert.rejects(
      end((actionId) => agent.client.vm.snapshot.mutate({ actionId, vmUid, snapshotUid: randomUUID() })),
      /disk of this host is full/,
    )
    await done((actionId) => agent.client.vm.power.mutate({ actionId, vmUid, op: 'poweroff' }))
    assert.equal((await vmReport(agent, vmUid))?.state, 'stopped')
    await done((actionId) => agent.client.vm.delete.mutate({ actionId, vmUid }))
    assert.equal(await vmReport(agent, vmUid), undefined)
    assert.equal(existsSync(disk()), false)
    assert.deepEqual(await leftovers(), [])
    assert.ok((await state.usedBytes()) < used - 2 * contentBytes)
    state.enlarge()
  })
})
