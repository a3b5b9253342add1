/** Creations in the real agent that wait for their image, and that a person cancels, at each of their steps. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { describe, test } from 'node:test'
import { creationPhaseOf, creationSteps as steps } from '@hearth/shared/creation'
import { MIB } from '@hearth/shared/units'
import { findProcessesByArgument, readBootId } from '../host/process-identity.ts'
import { tapName } from '../network/tap-name.ts'
import {
  type AgentProcess,
  actionEnd,
  collectEvents,
  nextActionId,
  startAgent,
  startBuilder,
  TestBox,
  testSpec,
  until,
} from '../testing/agent-harness.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { vmSockets } from '../vmm/launch.ts'

const recipe = {
  ...{ imageUid: 'later', name: 'Later', description: 'not here yet', recipeHash: 'hash1' },
  ...{ kind: 'disk', source: 'download', boot: 'direct', version: '', origin: '', cloudInit: false },
  ...{ loginUser: null, minMemoryBytes: 64 * MIB, minDiskBytes: 0 },
}

/** The host's own tool, except that it does not begin while there is a file `<tool>.hold`. */
async function addHeldTool(box: TestBox, tool: string): Promise<string> {
  const folder = join(box.root, 'tools')
  await mkdir(folder, { recursive: true })
  const hold = join(folder, `${tool}.hold`)
  await writeFile(
    join(folder, tool),
    `#!/bin/sh\nwhile [ -e '${hold}' ]; do sleep 0.05; done\nexec /usr/bin/${tool} "$@"\n`,
  )
  await chmod(join(folder, tool), 0o755)
  return hold
}

inOwnNetwork(import.meta.url, () => {
  describe('the making of a VM', () => {
    test('waits for an image that is still being made, and goes on by itself', async () => {
      const box = await TestBox.create()
      let finish = () => {}
      const builder = await startBuilder([recipe], (imageUid, _, send, end) => {
        send({ type: 'progress', progress: 40, step: 'Downloading' })
        finish = () => {
          void box.addImage({ imageUid }).then(() => {
            send({ type: 'done', imageUid })
            end('end')
          })
        }
      })
      const agent = await startAgent(box, { builderUrl: builder.url })
      await until('the catalogue', async () => (await agent.client.image.list.query()).length > 0)
      const spec = testSpec({ image: 'later' })
      const actionId = nextActionId()
      await agent.client.vm.create.mutate({ actionId, spec, start: true })
      const waiting = await until('it to wait', async () => {
        const report = await agent.client.action.get.query({ actionId })
        return report?.step === steps.waitingForImage && report.progress > 1 ? report : null
      })
      assert.equal(creationPhaseOf(waiting.step), 'image')
      finish()
      assert.equal((await actionEnd(agent, actionId)).status, 'success')
      assert.equal((await agent.client.vm.list.query())[0]?.state, 'running')
      await agent.client.vm.delete.mutate({ actionId: nextActionId(), vmUid: spec.vmUid })
      await until('its end', async () => (await agent.client.vm.list.query()).length === 0)
      await agent.end('SIGTERM')
      await builder.close()
      await box.remove()
    })

    test('cancelled at each step it leaves nothing, also when the agent is killed right after', async () => {
      const box = await TestBox.create()
      await box.addImage({ imageUid: 'disk', diskBytes: 8 * MIB, cloudInit: true })
      await box.addImage({ imageUid: 'slow', cmdline: 'never-runs' })
      const copy = await addHeldTool(box, 'cp')
      const seed = await addHeldTool(box, 'genisoimage')
      const builder = await startBuilder([recipe], (_, __, send) =>
        send({ type: 'progress', progress: 40, step: 'Downloading' }),
      )
      const path = process.env.PATH
      process.env.PATH = [join(box.root, 'tools'), path].join(delimiter)
      const start = (kind: 'kvm' | 'lab') =>
        startAgent(box, { builderUrl: builder.url, args: ['--kind', kind] })

      const cancelAt = async (
        agent: AgentProcess,
        at: { step: string; image: string; hold?: string },
        options: { killed: 'kvm' | 'lab' | null },
      ): Promise<AgentProcess> => {
        if (at.hold) await writeFile(at.hold, '')
        const spec = testSpec({ image: at.image })
        const actionId = nextActionId()
        await agent.client.vm.create.mutate({ actionId, spec, start: true })
        await until(`step ${at.step}`, async () => {
          const report = await agent.client.action.get.query({ actionId })
          assert.equal(report?.status, 'running', JSON.stringify(report))
          return report.step === at.step
        })
        await agent.client.action.cancel.mutate({ actionId })
        let after = agent
        if (options.killed) {
          await agent.end('SIGKILL')
          if (at.hold) await rm(at.hold, { force: true })
          after = await start(options.killed)
        } else if (at.step !== steps.copyingImage && at.hold) await rm(at.hold, { force: true })
        const report = await actionEnd(after, actionId)
        assert.deepEqual(report.error, { code: 'cancelled', message: 'This was cancelled.' }, at.step)
        assert.deepEqual(await after.client.vm.list.query(), [], at.step)
        assert.deepEqual(await readdir(join(box.state, 'vms')), [], at.step)
        assert.equal(existsSync(`/sys/class/net/${tapName(spec.vmUid)}`), false, at.step)
        const control = `unix:${vmSockets(box.runDir, spec.vmUid).control}`
        assert.deepEqual(findProcessesByArgument(control, readBootId()), [], at.step)
        if (at.hold) await rm(at.hold, { force: true })
        // Asked for again, it is the same action, and it stays cancelled.
        const again = await after.client.vm.create.mutate({ actionId, spec, start: true })
        assert.equal(again.status, 'error')
        return after
      }

      let agent = await start('kvm')
      await until('the catalogue', async () => (await agent.client.image.list.query()).length > 2)
      const places = [
        { step: steps.waitingForImage, image: 'later' },
        { step: steps.copyingImage, image: 'disk', hold: copy },
        { step: steps.writingSeed, image: 'disk', hold: seed },
        { step: steps.starting, image: 'slow' },
      ]
      for (const at of places) agent = await cancelAt(agent, at, { killed: null })
      for (const at of places) agent = await cancelAt(agent, at, { killed: 'kvm' })
      await agent.end('SIGTERM')
      // The lab's image store is on another machine: there the image is fetched first.
      agent = await start('lab')
      await until('the catalogue', async () => (await agent.client.image.list.query()).length > 2)
      agent = await cancelAt(
        agent,
        { step: steps.fetchingImage, image: 'disk', hold: copy },
        { killed: null },
      )

      // What is made is no longer cancelled, and an image that was let go can be had again.
      const { events, stop } = collectEvents(agent)
      const spec = testSpec({ image: 'disk' })
      const actionId = nextActionId()
      await agent.client.vm.create.mutate({ actionId, spec, start: true })
      assert.equal((await actionEnd(agent, actionId)).status, 'success')
      assert.equal((await agent.client.action.cancel.mutate({ actionId }))?.status, 'success')
      assert.equal((await agent.client.vm.list.query())[0]?.state, 'running')
      const phases = events.flatMap((event) =>
        event.type === 'action' && event.action.actionId === actionId
          ? (creationPhaseOf(event.action.step) ?? [])
          : [],
      )
      assert.deepEqual([...new Set(phases)], ['image', 'disk', 'seed', 'network', 'start'])
      stop()
      await agent.client.vm.delete.mutate({ actionId: nextActionId(), vmUid: spec.vmUid })
      await until('its end', async () => (await agent.client.vm.list.query()).length === 0)
      process.env.PATH = path
      await agent.end('SIGTERM')
      await builder.close()
      await box.remove()
    })
  })
})
