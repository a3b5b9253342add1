import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proposeHostPort } from './propose-port.ts'

test('the proposed port is near the one of the guest, free and not kept', () => {
  assert.equal(proposeHostPort('tcp', 80, new Set()), 8080)
  assert.equal(proposeHostPort('tcp', 80, new Set(['tcp/8080', 'udp/8081'])), 8081)
  assert.equal(proposeHostPort('tcp', 3000, new Set()), 3000)
  assert.equal(proposeHostPort('tcp', 7420, new Set()), 7421)
  assert.equal(proposeHostPort('tcp', 65535, new Set(['tcp/65535'])), null)
  assert.equal(proposeHostPort('tcp', Number('x'), new Set()), null)
})
