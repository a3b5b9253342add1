import assert from 'node:assert/strict'
import { test } from 'node:test'
import { creationSteps } from './creation-steps.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
const begun = [
  { at: at(0), step: 'Asking the host', phase: null },
  { at: at(1), step: 'Looking for the image', phase: 'image' },
  { at: at(2), step: 'Waiting for the image', phase: 'image' },
  { at: at(42), step: 'Copying the image', phase: 'disk' },
] as const
const vm = { loginUser: 'debian', desiredState: 'running' }
const shown = (steps: typeof begun | readonly [], who: Parameters<typeof creationSteps>[1] = vm) =>
  creationSteps({ steps: [...steps], progress: 63 }, who, new Date(at(50)).getTime()).map(
    ({ id, state, detail }) => [id, state, detail],
  )

test('what is done shows its time, what is under way its progress', () => {
  assert.deepEqual(shown(begun), [
    ['image', 'done', '41s'],
    ['disk', 'now', '63 %'],
    ['seed', 'todo', undefined],
    ['network', 'todo', undefined],
    ['start', 'todo', undefined],
  ])
})

test('before the host has begun all of it is to come; only what this VM goes through is listed', () => {
  assert.deepEqual(shown([], { loginUser: null, desiredState: 'stopped' }), [
    ['image', 'todo', undefined],
    ['disk', 'todo', undefined],
    ['network', 'todo', undefined],
  ])
})
