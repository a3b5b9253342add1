/** Agents that are killed, and boxes that lose power: what the next agent makes of it. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import { findProcessesByArgument, readBootId } from './host/process-identity.ts'
import {
  actionEnd,
  nextActionId,
  openConsole,
  startAgent,
  TestBox,
  testSpec,
  until,
  untilState,
  vmReport,
} from './testing/agent-harness.ts'
import { inOwnNetwork } from './testing/own-network.ts'
import { vmSockets } from './vmm/launch.ts'

inOwnNetwork(import.meta.url, () => {
  describe('agents that end badly', () => {
    test('killed while VMs run, the next one goes on with them and never takes a stranger for one', async () => {
      const box = await TestBox.create()
      await box.addImage({ imageUid: 'test' })
      let agent = await startAgent(box)
      const [first, second] = [testSpec({ startAtBoot: true }), testSpec({ startAtBoot: true })]
      for (const spec of [first, second]) {
        const actionId = nextActionId()
        await agent.client.vm.create.mutate({ actionId, spec, start: true })
        await actionEnd(agent, actionId)
      }
      const monitor = (vmUid: string) =>
        findProcessesByArgument(`unix:${vmSockets(box.runDir, vmUid).control}`, readBootId())[0]!.pid
      const bootText = async () => {
        const viewer = openConsole(agent.port, first.vmUid)
        return until('the boot text', () => /stand-in \S+ booted/.exec(viewer.text())?.[0])
      }
      const pid = monitor(first.vmUid)
      const booted = await bootText()
      await agent.end('SIGKILL')
      process.kill(monitor(second.vmUid), 'SIGKILL')
      // As if the pid had been given to another process meanwhile: same number, other start time.
      const recordPath = join(box.state, 'vms', second.vmUid, 'state.json')
      const record = JSON.parse(readFileSync(recordPath, 'utf8'))
      record.process = { ...record.process, pid: process.pid }
      writeFileSync(recordPath, JSON.stringify(record))

      agent = await startAgent(box)
      await untilState(agent, first.vmUid, 'running')
      assert.equal(monitor(first.vmUid), pid)
      // It crashed, and an agent that merely restarts does not start it again.
      assert.equal((await vmReport(agent, second.vmUid))?.state, 'crashed')
      assert.equal(await bootText(), booted)

      const actionId = nextActionId()
      await agent.client.vm.power.mutate({ actionId, vmUid: first.vmUid, op: 'shutdown' })
      assert.equal((await actionEnd(agent, actionId)).status, 'success')
      await untilState(agent, first.vmUid, 'stopped')
      await agent.end('SIGTERM')
      await box.remove()
    })

    test('after a boot of the box, VMs that should run are started and others are not', async () => {
      const box = await TestBox.create()
      await box.addImage({ imageUid: 'test' })
      let agent = await startAgent(box)
      const wanted = testSpec({ startAtBoot: true })
      const manual = testSpec({ startAtBoot: false })
      const off = testSpec({ startAtBoot: true })
      for (const spec of [wanted, manual, off]) {
        const actionId = nextActionId()
        await agent.client.vm.create.mutate({ actionId, spec, start: spec !== off })
        await actionEnd(agent, actionId)
      }
      await agent.end('SIGKILL')
      for (const spec of [wanted, manual]) {
        const control = `unix:${vmSockets(box.runDir, spec.vmUid).control}`
        process.kill(findProcessesByArgument(control, readBootId())[0]!.pid, 'SIGKILL')
        const path = join(box.state, 'vms', spec.vmUid, 'state.json')
        const record = JSON.parse(readFileSync(path, 'utf8'))
        record.process.bootId = '00000000-0000-0000-0000-000000000000'
        writeFileSync(path, JSON.stringify(record))
      }
      agent = await startAgent(box)
      await untilState(agent, wanted.vmUid, 'running')
      const stopped = await vmReport(agent, manual.vmUid)
      assert.equal(stopped?.state, 'stopped')
      assert.equal(stopped?.exitReason, 'The host restarted while it ran.')
      assert.equal((await vmReport(agent, off.vmUid))?.state, 'stopped')

      assert.deepEqual(await agent.client.host.shutdownGuests.mutate({ timeoutMs: 30_000 }), {
        stopped: 1,
        forced: 0,
      })
      const record = JSON.parse(readFileSync(join(box.state, 'vms', wanted.vmUid, 'state.json'), 'utf8'))
      assert.equal(record.desired, 'running')
      await agent.end('SIGTERM')
      assert.equal(existsSync('/sys/class/net/hearth0'), false)

      // Shut down in order it comes back as well: nobody asked for it to be off.
      agent = await startAgent(box)
      await untilState(agent, wanted.vmUid, 'running')
      for (const { vmUid } of [manual, off]) assert.equal((await vmReport(agent, vmUid))?.state, 'stopped')
      // Once: what a person, or the guest, ended since stays off.
      const actionId = nextActionId()
      await agent.client.vm.power.mutate({ actionId, vmUid: wanted.vmUid, op: 'poweroff' })
      assert.equal((await actionEnd(agent, actionId)).status, 'success')
      await agent.client.host.shutdownGuests.mutate({ timeoutMs: 0 })
      await agent.end('SIGTERM')
      agent = await startAgent(box)
      assert.equal((await vmReport(agent, wanted.vmUid))?.state, 'stopped')
      await agent.end('SIGTERM')
      await box.remove()
    })

    test('killed at any point of a creation, the next one finishes it', async () => {
      const box = await TestBox.create()
      await box.addImage({ imageUid: 'disk', diskBytes: 64 * MIB, cloudInit: true })
      const spec = testSpec({ image: 'disk', diskBytes: 1 * GIB })
      const actionId = nextActionId()
      // Each round ends one step later than the one before, wherever that is.
      let ended: Awaited<ReturnType<typeof actionEnd>> | null = null
      for (let round = 0; round < 5; round++) {
        const agent = await startAgent(box)
        await agent.client.vm.create.mutate({ actionId, spec, start: true })
        const steps = new Set<string>()
        await until('the next step', async () => {
          const report = await agent.client.action.get.query({ actionId })
          if (report) steps.add(report.step)
          return steps.size > round || report?.status !== 'running'
        })
        await agent.end('SIGKILL')
      }
      const agent = await startAgent(box)
      ended = await actionEnd(agent, actionId)
      assert.equal(ended.status, 'success', JSON.stringify(ended))
      await untilState(agent, spec.vmUid, 'running')
      const monitors = findProcessesByArgument(
        `unix:${vmSockets(box.runDir, spec.vmUid).control}`,
        readBootId(),
      )
      assert.equal(monitors.length, 1, 'exactly one monitor has the disk')
      assert.equal((await agent.client.vm.list.query()).length, 1)
      assert.deepEqual(
        (await readdir(join(box.state, 'vms'))).filter((name) => name !== spec.vmUid),
        [],
      )

      const deletion = nextActionId()
      await agent.client.vm.delete.mutate({ actionId: deletion, vmUid: spec.vmUid })
      await agent.end('SIGKILL')
      const last = await startAgent(box)
      assert.equal((await actionEnd(last, deletion)).status, 'success')
      assert.deepEqual(await readdir(join(box.state, 'vms')), [])
      assert.equal((await last.client.vm.list.query()).length, 0)
      await last.end('SIGTERM')
      await box.remove()
    })
  })
})
