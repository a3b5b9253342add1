import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shutDown } from './shut-down.ts'

/** A guest that goes off at what `listensTo` names. */
function guest(listensTo: 'button' | 'agent' | 'nothing') {
  const asked: string[] = []
  return {
    asked,
    powerdown: async () => void asked.push('button'),
    askGuestToShutDown: async () => void asked.push('agent'),
    untilStopped: async () => asked.includes(listensTo),
  }
}

test('a guest that listens to the power button is not asked a second time', async () => {
  const vm = guest('button')
  assert.equal(await shutDown(vm, { keepDesired: false, timeoutMs: 1000 }), true)
  assert.deepEqual(vm.asked, ['button'])
})

test('a guest deaf to the power button is shut down by its guest agent', async () => {
  const vm = guest('agent')
  assert.equal(await shutDown(vm, { keepDesired: false, timeoutMs: 1000 }), true)
  assert.deepEqual(vm.asked, ['button', 'agent'])
})

test('a guest that listens to neither is not off', async () => {
  assert.equal(await shutDown(guest('nothing'), { keepDesired: false, timeoutMs: 1000 }), false)
})
