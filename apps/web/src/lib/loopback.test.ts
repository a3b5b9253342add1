import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback } from './loopback.ts'

test('addresses that lead every device to itself', () => {
  for (const name of ['localhost', 'hearth.localhost', '127.0.0.1', '127.1.2.3', '[::1]'])
    assert.equal(isLoopback(name), true, name)
  for (const name of ['box.local', '192.168.1.2', '127.example.org', 'localhost.example.org', '[fe80::1]'])
    assert.equal(isLoopback(name), false, name)
})
