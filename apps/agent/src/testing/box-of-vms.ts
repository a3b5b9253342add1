/** For tests of what is done with VMs and their disks: a box with an agent for all tests of a file, and its commands. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import type { VmSpec } from '@hearth/shared/vm-spec'
import {
  type AgentProcess,
  actionEnd,
  nextActionId,
  startAgent,
  TestBox,
  type TestImage,
  testSpec,
} from './agent-harness.ts'

export class BoxOfVms {
  box!: TestBox
  agent!: AgentProcess

  /** Call it where tests are defined. */
  constructor(...images: TestImage[]) {
    before(async () => {
      this.box = await TestBox.create()
      for (const image of images) await this.box.addImage(image)
      this.agent = await startAgent(this.box)
    })
    after(async () => {
      for (const { vmUid } of await this.agent.client.vm.list.query()) await this.power(vmUid, 'poweroff')
      await this.agent.end('SIGTERM')
      await this.box.remove()
    })
  }

  /** Another agent on the same box. */
  async restart(
    signal: NodeJS.Signals,
    meanwhile: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    await this.agent.end(signal)
    await meanwhile()
    this.agent = await startAgent(this.box)
  }

  async done(actionId: number): Promise<void> {
    const report = await actionEnd(this.agent, actionId)
    assert.equal(report.status, 'success', JSON.stringify(report))
  }

  async create(change: Partial<VmSpec>, start: boolean): Promise<VmSpec> {
    const spec = testSpec(change)
    const actionId = nextActionId()
    await this.agent.client.vm.create.mutate({ actionId, spec, start })
    await this.done(actionId)
    return spec
  }

  async power(vmUid: string, op: 'start' | 'poweroff') {
    const actionId = nextActionId()
    await this.agent.client.vm.power.mutate({ actionId, vmUid, op })
    return actionEnd(this.agent, actionId)
  }
}
