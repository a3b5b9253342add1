import assert from 'node:assert/strict'
import { test } from 'node:test'
import { losesInterrupts } from './qemu.ts'

test('QEMU before 10.2 loses interrupts', () => {
  for (const version of ['7.2.19', '9.2.4', '10.0.13', '10.1'])
    assert.equal(losesInterrupts(version), true, version)
  for (const version of ['10.2.0', '10.10', '11.1.3']) assert.equal(losesInterrupts(version), false, version)
})
