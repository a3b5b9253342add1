/** The real agent with a stand-in for hearth-vmm: VMs that become another image's, and what stays of them. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { actionEnd, nextActionId, until, untilState, vmReport } from '../testing/agent-harness.ts'
import { BoxOfVms } from '../testing/box-of-vms.ts'
import { inOwnNetwork } from '../testing/own-network.ts'

inOwnNetwork(import.meta.url, () => {
  const vms = new BoxOfVms(
    { imageUid: 'first', diskBytes: 8 * MIB, cloudInit: true },
    { imageUid: 'second', diskBytes: 16 * MIB, cmdline: 'second' },
    { imageUid: 'large', diskBytes: 2 * GIB },
    { imageUid: 'broken', diskBytes: 8 * MIB, cmdline: 'fail-start' },
  )
  const folder = (vmUid: string) => join(vms.box.state, 'vms', vmUid)
  const disk = (vmUid: string) => join(folder(vmUid), 'disk.raw')
  const create = (start: boolean) => vms.create({ image: 'first', diskBytes: 1 * GIB }, start)
  async function write(vmUid: string, text: string) {
    const file = await open(disk(vmUid), 'r+')
    await file.write(text, 0)
    await file.close()
  }
  const head = async (vmUid: string) => {
    const file = await open(disk(vmUid))
    const { buffer, bytesRead } = await file.read(Buffer.alloc(9), 0, 9, 0)
    await file.close()
    return buffer.toString('utf8', 0, bytesRead)
  }
  const begin = async (spec: VmSpec, image: string, start: boolean) => {
    const actionId = nextActionId()
    const rebuilt = { ...spec, image, generation: spec.generation + 1 }
    await vms.agent.client.vm.rebuild.mutate({ actionId, spec: rebuilt, start })
    return actionId
  }

  test('one that runs is its new image after it, and runs again; its size and identity stay', async () => {
    const spec = await create(true)
    await write(spec.vmUid, 'old words')
    const { since } = await untilState(vms.agent, spec.vmUid, 'running')
    await vms.done(await begin(spec, 'second', true))
    const report = await untilState(vms.agent, spec.vmUid, 'running')
    assert.notEqual(report.since, since)
    assert.equal(report.generation, 2)
    assert.equal(await head(spec.vmUid), 'the image')
    assert.equal((await stat(disk(spec.vmUid))).size, 1 * GIB)
    // What only the old image had is gone with it.
    assert.equal(existsSync(join(folder(spec.vmUid), 'seed.iso')), false)
    const kept = JSON.parse(await readFile(join(folder(spec.vmUid), 'spec.json'), 'utf8')) as VmSpec
    assert.deepEqual([kept.image, kept.mac, kept.name], ['second', spec.mac, spec.name])
    assert.deepEqual(
      (await readdir(folder(spec.vmUid))).filter((name) => name.startsWith('.tmp-')),
      [],
    )
  })

  test('the agent is killed in the middle: the next one goes on until it is whole', async () => {
    const spec = await create(true)
    await write(spec.vmUid, 'old words')
    const actionId = await begin(spec, 'second', true)
    await vms.restart('SIGKILL')
    await vms.done(actionId)
    assert.equal(await head(spec.vmUid), 'the image')
    await untilState(vms.agent, spec.vmUid, 'running')
  })

  test('what cannot be is refused, and the old disk is untouched', async () => {
    const spec = await create(false)
    await write(spec.vmUid, 'old words')
    await assert.rejects(begin(spec, 'nothing', false), /no image nothing/)
    await assert.rejects(begin({ ...spec, mac: '52:54:00:00:00:01' }, 'second', false), /neither its address/)
    const report = await actionEnd(vms.agent, await begin(spec, 'large', false))
    assert.match(report.error?.message ?? '', /needs a disk of at least/)
    await rm(join(vms.box.images, 'second', 'disk.raw'))
    const failed = await actionEnd(vms.agent, await begin(spec, 'second', false))
    assert.equal(failed.status, 'error')
    assert.equal(await head(spec.vmUid), 'old words')
    assert.equal((await vmReport(vms.agent, spec.vmUid))?.generation, 1)
  })

  test('one that is rebuilt and does not start says so, and is rebuilt', async () => {
    const spec = await create(true)
    const report = await actionEnd(vms.agent, await begin(spec, 'broken', true))
    assert.equal(report.status, 'error', JSON.stringify(report))
    const now = await until('the new generation', async () => {
      const vm = await vmReport(vms.agent, spec.vmUid)
      return vm?.generation === 2 ? vm : null
    })
    assert.ok(['stopped', 'crashed'].includes(now.state), now.state)
  })
})
