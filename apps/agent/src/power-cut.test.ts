/**
 * The real agent with a stand-in for hearth-vmm, killed with -9 at any moment of any kind of work on VMs and their disks,
 * several times each. The next agent brings it to an end: what should be there is there and whole, and nothing is half there.
 */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { ActionReport } from '@hearth/shared/action'
import { GIB, MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { actionEnd, nextActionId, testSpec, vmReport } from './testing/agent-harness.ts'
import { BoxOfVms } from './testing/box-of-vms.ts'
import { inOwnNetwork } from './testing/own-network.ts'

/** Long enough for most of the work here to be over, on a machine that has other things to do. */
const latestMs = 400
const rounds = 2

inOwnNetwork(import.meta.url, () => {
  const diskBytes = 96 * MIB
  const vms = new BoxOfVms(
    { imageUid: 'disk', diskBytes, cloudInit: true },
    { imageUid: 'other', diskBytes, cmdline: 'other' },
  )
  const place = 64 * MIB
  const disk = (vmUid: string) => join(vms.box.state, 'vms', vmUid, 'disk.raw')
  const target = () => join(vms.box.root, 'backup disk')
  async function write(vmUid: string, word: string) {
    const file = await open(disk(vmUid), 'r+')
    await file.write(randomBytes(16 * MIB), 0, undefined, 8 * MIB)
    await file.write(word.padEnd(8), place)
    await file.close()
  }
  async function read(path: string): Promise<string> {
    const file = await open(path)
    const { buffer } = await file.read(Buffer.alloc(8), 0, 8, place)
    await file.close()
    return buffer.toString().trim()
  }
  const begin = async (ask: (actionId: number) => Promise<unknown>) => {
    const actionId = nextActionId()
    await ask(actionId)
    return actionId
  }
  const done = async (ask: (actionId: number) => Promise<unknown>) => vms.done(await begin(ask))
  const snapshot = (vmUid: string, snapshotUid: string) => (actionId: number) =>
    vms.agent.client.vm.snapshot.mutate({ actionId, vmUid, snapshotUid })
  const backup = (vmUid: string, backupUid: string) => (actionId: number) =>
    vms.agent.client.backup.take.mutate({ actionId, vmUid, backupUid })
  const snapshotDisk = (uid: string) => join(vms.box.state, 'snapshots', uid, 'disk.raw')

  /** Each begins something on a VM whose disk says `now`, and says what has to be true once it is over. */
  const kinds: Record<
    string,
    (spec: VmSpec) => Promise<{
      ask: (actionId: number) => Promise<unknown>
      check: (report: ActionReport) => Promise<void>
      running?: boolean
    }>
  > = {
    async snapshot({ vmUid }) {
      const uid = randomUUID()
      return {
        ask: snapshot(vmUid, uid),
        check: async ({ status }) => {
          assert.equal(status, 'success')
          assert.deepEqual([await read(snapshotDisk(uid)), await read(disk(vmUid))], ['now', 'now'])
        },
      }
    },
    async 'snapshot while it runs'({ vmUid }) {
      const uid = randomUUID()
      return {
        running: true,
        ask: snapshot(vmUid, uid),
        check: async ({ status }) => {
          assert.equal(status, 'success')
          assert.equal(await read(snapshotDisk(uid)), 'now')
          assert.equal((await vmReport(vms.agent, vmUid))?.state, 'running', 'it is held no longer')
        },
      }
    },
    async 'going back'({ vmUid }) {
      const uid = randomUUID()
      await done(snapshot(vmUid, uid))
      await write(vmUid, 'later')
      return {
        ask: (actionId) => vms.agent.client.vm.restore.mutate({ actionId, vmUid, snapshotUid: uid }),
        check: async ({ status }) => {
          assert.deepEqual([status, await read(disk(vmUid))], ['success', 'now'])
        },
      }
    },
    async 'a snapshot goes'({ vmUid }) {
      const uid = randomUUID()
      await done(snapshot(vmUid, uid))
      return {
        ask: (actionId) => vms.agent.client.vm.deleteSnapshot.mutate({ actionId, vmUid, snapshotUid: uid }),
        check: async () => assert.equal(existsSync(snapshotDisk(uid)), false),
      }
    },
    async 'a VM of a snapshot'({ vmUid }) {
      const uid = randomUUID()
      await done(snapshot(vmUid, uid))
      const copy = testSpec({ image: 'disk' })
      return {
        ask: (actionId) =>
          vms.agent.client.vm.create.mutate({ actionId, spec: copy, start: false, snapshotUid: uid }),
        check: async ({ status }) =>
          assert.deepEqual([status, await read(disk(copy.vmUid))], ['success', 'now']),
      }
    },
    async backup({ vmUid }) {
      const uid = randomUUID()
      return {
        running: true,
        ask: backup(vmUid, uid),
        check: async ({ status }) => {
          assert.equal(status, 'success')
          await done((actionId) => vms.agent.client.backup.verify.mutate({ actionId, backupUid: uid }))
          assert.equal((await vmReport(vms.agent, vmUid))?.state, 'running', 'it is held no longer')
        },
      }
    },
    async 'a backup is put back'({ vmUid }) {
      const uid = randomUUID()
      await done(backup(vmUid, uid))
      await write(vmUid, 'later')
      return {
        ask: (actionId) => vms.agent.client.backup.restore.mutate({ actionId, vmUid, backupUid: uid }),
        check: async ({ status }) => assert.deepEqual([status, await read(disk(vmUid))], ['success', 'now']),
      }
    },
    async 'a backup goes, another stays'({ vmUid }) {
      const [one, two] = [randomUUID(), randomUUID()]
      await done(backup(vmUid, one))
      await write(vmUid, 'later')
      await done(backup(vmUid, two))
      return {
        ask: (actionId) => vms.agent.client.backup.delete.mutate({ actionId, backupUid: one }),
        check: async () => {
          assert.equal(existsSync(join(target(), vmUid, one)), false)
          await done((actionId) => vms.agent.client.backup.verify.mutate({ actionId, backupUid: two }))
        },
      }
    },
    async rebuild(spec) {
      return {
        ask: (actionId) =>
          vms.agent.client.vm.rebuild.mutate({
            ...{ actionId, start: false },
            spec: { ...spec, image: 'other', generation: 2 },
          }),
        check: async ({ status }) => {
          assert.deepEqual([status, await read(disk(spec.vmUid))], ['success', '\0'.repeat(8)])
          assert.equal((await vmReport(vms.agent, spec.vmUid))?.generation, 2)
        },
      }
    },
    async 'a new disk'(spec) {
      const volumeUid = randomUUID()
      const attach = { ...spec, generation: 2, volumes: [{ volumeUid, serial: 'volume-1' }] }
      return {
        ask: (actionId) =>
          vms.agent.client.volume.create.mutate({ actionId, volumeUid, bytes: GIB, format: null, attach }),
        check: async ({ status }) => {
          assert.equal(status, 'success')
          const { size } = await stat(join(vms.box.state, 'volumes', volumeUid, 'disk.raw'))
          assert.deepEqual([size, (await vmReport(vms.agent, spec.vmUid))?.generation], [GIB, 2])
        },
      }
    },
    async deletion({ vmUid }) {
      return {
        ask: (actionId) => vms.agent.client.vm.delete.mutate({ actionId, vmUid }),
        check: async () => {
          assert.equal(await vmReport(vms.agent, vmUid), undefined)
          assert.equal(existsSync(disk(vmUid)), false)
        },
      }
    },
  }

  async function leftovers(): Promise<string[]> {
    const folders = [join(vms.box.state), target()]
    const names = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true })))
    // A chunk that came to no end is written anew by the next backup, and swept with the next that goes.
    return names
      .flat()
      .filter((name) => /(^|\/)\.tmp-|backup-staging\/./.test(name) && !/\/chunks\//.test(name))
  }

  test('a place for backups', async () => {
    await mkdir(target())
    await vms.agent.client.backup.setTarget.mutate({ folder: target() })
  })

  for (const [name, prepare] of Object.entries(kinds))
    test(`${name}: the agent is killed at any moment`, async () => {
      for (let round = 0; round < rounds; round++) {
        const spec = await vms.create({ image: 'disk' }, false)
        await write(spec.vmUid, 'now')
        const { ask, check, running = false } = await prepare(spec)
        if (running) await vms.power(spec.vmUid, 'start')
        const actionId = await begin(ask)
        // The first at once, the others anywhere.
        const after = round === 0 ? 0 : Math.random() * latestMs
        await wait(after)
        await vms.restart('SIGKILL')
        const report = await actionEnd(vms.agent, actionId)
        try {
          await check(report)
          assert.deepEqual(await leftovers(), [])
        } catch (error) {
          throw new Error(`killed after ${Math.round(after)} ms: ${JSON.stringify(report)}: ${String(error)}`)
        }
        if (running) await vms.power(spec.vmUid, 'poweroff')
      }
    })
})
