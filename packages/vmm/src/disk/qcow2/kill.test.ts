import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createQcow2 } from './create.ts'
import { CLUSTER } from './format.ts'
import { checkQcow2, openQcow2 } from './open.ts'
import { DISK, History, nextOperation, readValues, verify, ZONE_CLUSTERS } from './testing/crash-model.ts'
import { GuestBuffer, qemuCheck, Random, temporaryFolder } from './testing/support.ts'

const CHILD = fileURLToPath(new URL('./testing/kill-child.ts', import.meta.url))
const ROUNDS = 30
const FLUSHED = 'f'.charCodeAt(0)

describe('a process killed while it writes a qcow2 image', () => {
  let folder = ''
  before(() => {
    folder = temporaryFolder()
  })
  after(() => {
    fs.rmSync(folder, { recursive: true })
  })

  it(`loses nothing that was flushed, ${ROUNDS} times on the same disk`, { timeout: 240_000 }, async () => {
    const file = path.join(folder, 'disk.qcow2')
    createQcow2({ path: file, size: DISK })
    const random = new Random(77)
    const guest = new GuestBuffer(ZONE_CLUSTERS * CLUSTER, random)
    let values: Float64Array = new Float64Array()
    let operations = 0
    let leaks = 0
    for (let round = 1; round <= ROUNDS; round++) {
      const firstValue = round * 1_000_000
      const progress = await killAfter(1 + random.below(120), [file, String(round), String(firstValue)])

      // The child's operations, by the events of its own account: one when it begins, one when a flush has ended.
      const history = new History((index) => values[index] ?? 0)
      const replay = new Random(round)
      let event = 0
      for (let i = 0; event < progress.length; i++) {
        const began = event++
        const operation = nextOperation(replay, firstValue + i)
        history.begin(operation, began)
        operations++
        if (operation.kind === 'flush' && progress[event] === FLUSHED) history.flushed(began, ++event)
      }
      assert.equal(event, progress.length)

      const report = checkQcow2(file)
      assert.deepEqual(report.messages, [], `round ${round}`)
      leaks += report.leaks
      qemuCheck(file, true)
      const image = openQcow2(file)
      values = readValues(image, guest)
      verify(values, history, event, `round ${round}`)
      image.close()
      assert.equal(checkQcow2(file).leaks, 0)
    }
    qemuCheck(file)
    assert.ok(operations > ROUNDS * 20, `${operations} operations`)
    assert.ok(leaks > 0, 'no kill left anything to repair: they all came at the wrong time')
    guest.close()
  })
})

/** Starts the child, kills it -9 as soon as it has begun `count` operations, and returns all it had to say. */
async function killAfter(count: number, args: readonly string[]): Promise<Uint8Array> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks: Buffer[] = []
  let seen = 0
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    seen += chunk.length
    if (seen >= count) child.kill('SIGKILL')
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  assert.deepEqual([code, signal], [null, 'SIGKILL'])
  return Buffer.concat(chunks)
}
