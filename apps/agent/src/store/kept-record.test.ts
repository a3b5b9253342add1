import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptRecord } from './kept-record.ts'
import type { VmRecord } from './vm-store.ts'

const record: VmRecord = {
  ...{ v: 1, phase: 'ready', desired: 'stopped', process: null, passt: null, exit: null },
  ...{ panicked: false, address: null, boot: null },
}

test('changes at once are all written, one after the other, and a failed one keeps no other from the disk', async () => {
  const written: VmRecord[] = []
  let writing = 0
  const kept = new KeptRecord(
    {
      async writeRecord(_vmUid, value) {
        assert.equal(++writing, 1, 'one at a time')
        // The slower, the earlier.
        await new Promise((resolve) => setTimeout(resolve, 20 / (written.length + 1)))
        writing--
        written.push(value)
        if (written.length === 1) throw new Error('no space')
      },
    },
    'uid',
    record,
  )
  const changes = [
    kept.change({ panicked: true }),
    kept.change({ desired: 'running' }),
    kept.change({ held: 'paused' }),
  ]
  assert.deepEqual([kept.value.panicked, kept.value.desired, kept.value.held], [true, 'running', 'paused'])
  const ends = await Promise.allSettled(changes)
  assert.deepEqual(
    ends.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  )
  await kept.atRest
  assert.deepEqual(written.at(-1), kept.value)
})
