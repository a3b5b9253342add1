/** The real agent with a stand-in for hearth-vmm whose guest writes all the time: copies of one moment, made while it runs. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { MIB } from '@hearth/shared/units'
import { actionEnd, collectEvents, nextActionId, until, untilState } from '../testing/agent-harness.ts'
import { BoxOfVms } from '../testing/box-of-vms.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { canShareBlocks } from './share-blocks.ts'

inOwnNetwork(import.meta.url, () => {
  const diskBytes = 160 * MIB
  const vms = new BoxOfVms(
    { imageUid: 'writes', diskBytes, cmdline: 'writes' },
    { imageUid: 'ends', diskBytes, cmdline: 'writes ends-when-noted' },
    { imageUid: 'ends-held', diskBytes, cmdline: 'writes ends-when-paused' },
  )
  /** What the stand-in's guest wrote last, at both of its places. */
  async function numbers(path: string): Promise<number[]> {
    const file = await open(path)
    try {
      const places = [1 * MIB, 150 * MIB]
      return await Promise.all(
        places.map(async (at) => (await file.read(Buffer.alloc(8), 0, 8, at)).buffer.readDoubleLE()),
      )
    } finally {
      await file.close()
    }
  }
  const disk = (vmUid: string) => join(vms.box.state, 'vms', vmUid, 'disk.raw')
  async function take(vmUid: string) {
    const input = { actionId: nextActionId(), vmUid, snapshotUid: randomUUID() }
    const { events, stop } = collectEvents(vms.agent)
    await until('the first event', () => events.length > 0)
    await vms.agent.client.vm.snapshot.mutate(input)
    const report = await actionEnd(vms.agent, input.actionId)
    assert.equal(report.status, 'success', JSON.stringify(report))
    const event = await until('the snapshot', () => events.find((one) => one.type === 'vm_snapshot'))
    stop()
    const steps = events.flatMap((one) =>
      one.type === 'action' && one.action.actionId === input.actionId ? [one.action.step] : [],
    )
    const copy = join(vms.box.state, 'snapshots', input.snapshotUid, 'disk.raw')
    assert.ok(event.type === 'vm_snapshot')
    return { copy, steps, consistency: event.snapshot.consistency }
  }

  test('a guest that writes all the time: every copy has one moment, and is made before it is held', async (t) => {
    if (await canShareBlocks(vms.box.state)) return t.skip('copies are instant on this file system')
    const { vmUid } = await vms.create({ image: 'writes' }, true)
    await until('the guest to write', async () => (await numbers(disk(vmUid)))[1]! > 0)
    for (let round = 0; round < 5; round++) {
      const [before] = await numbers(disk(vmUid))
      const { copy, steps, consistency } = await take(vmUid)
      const [first, second] = await numbers(copy)
      assert.equal(first, second, 'both places have the number of one moment')
      assert.ok(first! > before!, 'it went on while it was copied')
      assert.equal(consistency, 'paused')
      const [copying, holding] = [steps.indexOf('Copying the disk'), steps.indexOf('Holding the guest still')]
      assert.ok(copying >= 0 && copying < holding, steps.join(', '))
    }
    await untilState(vms.agent, vmUid, 'running')
  })

  for (const [when, image] of [
    ['while it is copied', 'ends'],
    ['when it is to be held', 'ends-held'],
  ] as const) {
    test(`a guest that ends ${when} is copied as it lies then`, async (t) => {
      if (await canShareBlocks(vms.box.state)) return t.skip('copies are instant on this file system')
      const { vmUid } = await vms.create({ image }, true)
      await until('the guest to write', async () => (await numbers(disk(vmUid)))[1]! > 0)
      const { copy, consistency } = await take(vmUid)
      assert.equal(consistency, 'stopped')
      await untilState(vms.agent, vmUid, 'stopped')
      assert.deepEqual(await numbers(copy), await numbers(disk(vmUid)))
    })
  }
})
