/** Agent and real monitor, jailed as ever, with a guest of a few instructions: suspended and gone on with. Any KVM will do. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MIB } from '@hearth/shared/units'
import {
  actionEnd,
  nextActionId,
  openConsole,
  startAgent,
  TestBox,
  testSpec,
  until,
  untilState,
} from '../../apps/agent/src/testing/agent-harness.ts'
import { inOwnNetwork } from '../../apps/agent/src/testing/own-network.ts'
import { print, tinyKernel } from '../../packages/vmm/src/testing/tiny-guest.ts'
import { usableKvm } from '../../packages/vmm/src/testing/usable-kvm.ts'

const monitor = fileURLToPath(new URL('../../packages/vmm/src/main.ts', import.meta.url))
/** Waits for a byte from the serial port and prints it plus one. */
const echo = [
  ...[0xba, 0xfd, 0x03, 0, 0, 0xec, 0xa8, 0x01, 0x74, 0xf6],
  ...[0xba, 0xf8, 0x03, 0, 0, 0xec, 0xfe, 0xc0, 0xee],
]
inOwnNetwork(import.meta.url, () => {
  test('a jailed guest is suspended in the middle of its work and goes on with it', {
    skip: !usableKvm && 'no /dev/kvm here',
  }, async () => {
    const box = await TestBox.create()
    await box.addImage({ imageUid: 'tiny' })
    await writeFile(join(box.images, 'tiny', 'vmlinuz'), tinyKernel(print('up'), echo, echo, echo))
    const agent = await startAgent(box, { vmm: monitor })
    const power = async (vmUid: string, op: 'start' | 'suspend' | 'poweroff') => {
      const actionId = nextActionId()
      await agent.client.vm.power.mutate({ actionId, vmUid, op })
      const report = await actionEnd(agent, actionId)
      assert.equal(report.status, 'success', JSON.stringify(report.error))
    }
    try {
      const spec = testSpec({ image: 'tiny', memoryBytes: 64 * MIB })
      const { actionId } = await agent.client.vm.create.mutate({
        actionId: nextActionId(),
        spec,
        start: true,
      })
      assert.equal((await actionEnd(agent, actionId)).status, 'success')
      const first = openConsole(agent.port, spec.vmUid)
      await until('the guest', () => first.text().includes('up'))
      first.socket.send(Buffer.from('H'))
      await until('its answer', () => first.text().includes('upI'))
      for (const [typed, answer] of [
        ['A', 'B'],
        ['L', 'M'],
      ] as const) {
        await power(spec.vmUid, 'suspend')
        await untilState(agent, spec.vmUid, 'suspended')
        await power(spec.vmUid, 'start')
        await untilState(agent, spec.vmUid, 'running')
        const again = openConsole(agent.port, spec.vmUid)
        await until('the console', () => again.notices().some(({ notice }) => notice === 'connected'))
        again.socket.send(Buffer.from(typed))
        await until(`${answer} of the guest that goes on`, () => again.text().includes(answer))
      }
      await power(spec.vmUid, 'poweroff')
    } finally {
      await agent.end('SIGTERM')
      await box.remove()
    }
  })
})
