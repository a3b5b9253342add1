import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedLab } from '../lab/shared.ts'
import { inRepository } from '../lib/paths.ts'

test('the probe finds the lab’s KVM fit for ordinary guests', async () => {
  const lab = await sharedLab()
  const result = await lab.run('node', [inRepository('packages/vmm/src/probe/program.ts')])
  assert.deepEqual(
    { code: result.code, answer: JSON.parse(result.stdout) },
    { code: 0, answer: { problem: null } },
  )
})
