/** The real agent with a stand-in for hearth-vmm: volumes are made, attached while a VM is off, grown, and survive it. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { GIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { findProcessesByArgument, readBootId } from '../host/process-identity.ts'
import { collectEvents, nextActionId, testSpec, until } from '../testing/agent-harness.ts'
import { BoxOfVms } from '../testing/box-of-vms.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { vmSockets } from '../vmm/launch.ts'

inOwnNetwork(import.meta.url, () => {
  const vms = new BoxOfVms({ imageUid: 'test' })

  const disk = (volumeUid: string) => join(vms.box.state, 'volumes', volumeUid, 'disk.raw')
  const createVm = () => vms.create({}, false)
  async function createVolume(more: { format?: 'ext4'; attach?: VmSpec; volumeUid?: string } = {}) {
    const { volumeUid = randomUUID(), format = null, attach } = more
    const actionId = nextActionId()
    await vms.agent.client.volume.create.mutate({
      actionId,
      volumeUid,
      bytes: 1 * GIB,
      format,
      ...(attach ? { attach } : {}),
    })
    await vms.done(actionId)
    return volumeUid
  }
  async function update(spec: VmSpec) {
    const actionId = nextActionId()
    await vms.agent.client.vm.update.mutate({ actionId, spec })
    await vms.done(actionId)
  }
  const withVolumes = (spec: VmSpec, ...uids: string[]): VmSpec => ({
    ...spec,
    generation: spec.generation + 1,
    volumes: uids.map((volumeUid, index) => ({ volumeUid, serial: `volume-${index + 1}` })),
  })

  test('a volume made for a VM reaches its monitor under its name, holds a file system, and outlives the VM', async () => {
    const { events, stop } = collectEvents(vms.agent)
    const spec = await createVm()
    const volumeUid = randomUUID()
    const attached = withVolumes(spec, volumeUid)
    await createVolume({ volumeUid, format: 'ext4', attach: attached })
    assert.equal((await stat(disk(volumeUid))).size, 1 * GIB)
    // The magic number of ext2, ext3 and ext4, in the superblock at 1024.
    const file = await open(disk(volumeUid))
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 1024 + 56)
    await file.close()
    assert.equal(buffer.readUInt16LE(), 0xef53)
    const event = await until('the event', () => events.find((one) => one.type === 'volume'))
    assert.ok(event.type === 'volume' && event.volume.bytes === 1 * GIB)
    assert.ok(event.type === 'volume' && event.volume.storedBytes < GIB / 4)
    stop()

    await vms.power(spec.vmUid, 'start')
    const control = `unix:${vmSockets(vms.box.runDir, spec.vmUid).control}`
    const [monitor] = findProcessesByArgument(control, readBootId())
    const line = readFileSync(`/proc/${monitor!.pid}/cmdline`, 'utf8')
    assert.ok(line.includes(`${disk(volumeUid)},serial=volume-1\0`), line)

    // While it runs nothing of its disks changes.
    await assert.rejects(
      vms.agent.client.vm.update.mutate({ actionId: nextActionId(), spec: { ...attached, volumes: [] } }),
      /Shut it down first/,
    )
    const grow = () =>
      vms.agent.client.volume.grow.mutate({ actionId: nextActionId(), volumeUid, bytes: 2 * GIB })
    await assert.rejects(grow(), /while its VM is stopped/)
    const remove = () => vms.agent.client.volume.delete.mutate({ actionId: nextActionId(), volumeUid })
    await assert.rejects(remove(), /Detach it there first/)
    await vms.power(spec.vmUid, 'poweroff')
    const { actionId } = await grow()
    await vms.done(actionId)
    assert.equal((await stat(disk(volumeUid))).size, 2 * GIB)

    const deletion = nextActionId()
    await vms.agent.client.vm.delete.mutate({ actionId: deletion, vmUid: spec.vmUid })
    await vms.done(deletion)
    assert.ok(existsSync(disk(volumeUid)))
    await vms.done((await remove()).actionId)
    assert.equal(existsSync(disk(volumeUid)), false)
  })

  test('one VM has a volume at a time; it is detached and attached elsewhere, and a lost one is named', async () => {
    const volumeUid = await createVolume()
    const [one, other] = [await createVm(), await createVm()]
    await update(withVolumes(one, volumeUid))
    const attach = () => update(withVolumes(other, volumeUid))
    await assert.rejects(attach(), new RegExp(`${one.name} has this disk`))
    await update({ ...withVolumes(one), generation: 3 })
    await attach()
    await assert.rejects(update({ ...withVolumes(one, randomUUID()), generation: 4 }), /does not exist/)
    await rm(disk(volumeUid))
    const report = await vms.power(other.vmUid, 'start')
    assert.match(report.error?.message ?? '', /attached volume of this VM is gone/)
  })

  test('a volume asked for together with a VM that is gone leaves nothing', async () => {
    const volumeUid = randomUUID()
    const ghost = withVolumes(testSpec(), volumeUid)
    const call = vms.agent.client.volume.create.mutate({
      actionId: nextActionId(),
      volumeUid,
      bytes: GIB,
      format: null,
      attach: ghost,
    })
    await assert.rejects(call, /does not exist/)
    assert.equal(existsSync(disk(volumeUid)), false)
  })
})
