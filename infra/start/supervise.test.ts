import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeEnd, type Run, supervise } from './supervise.ts'

function fakeRun(): Run & { end: () => void; stopped: boolean } {
  const { promise, resolve } = Promise.withResolvers<string>()
  const run = {
    ended: promise,
    end: () => resolve(describeEnd({ code: 7, signal: null })),
    lastWords: async () => '    out of ideas',
    stopped: false,
    async stop() {
      run.stopped = true
      resolve('')
    },
  }
  return run
}

test('a part that ends by itself is started again, and stopped when asked', async () => {
  const first = fakeRun()
  const second = fakeRun()
  const started = Promise.withResolvers<void>()
  const told: string[] = []
  const part = supervise(
    'portal',
    first,
    async () => {
      started.resolve()
      return second
    },
    (text) => told.push(text),
  )
  first.end()
  await started.promise
  await new Promise((resolve) => setImmediate(resolve))
  await part.stop()
  await part.ended
  assert.ok(second.stopped)
  assert.deepEqual(told, [
    'The portal ended with exit code 7; its last words:\n    out of ideas\nIt is started again.',
  ])
})

test('a part that cannot stay up is given up', async () => {
  const first = fakeRun()
  let starts = 0
  const told: string[] = []
  const part = supervise(
    'agent',
    first,
    async () => {
      starts++
      if (starts === 2) throw new Error('no such file')
      const run = fakeRun()
      run.end()
      return run
    },
    (text) => told.push(text),
  )
  first.end()
  await part.ended
  assert.equal(starts, 4)
  assert.ok(told.some((text) => /could not be started.*no such file/s.test(text)))
  assert.match(told.at(-1)!, /given up/)
})
