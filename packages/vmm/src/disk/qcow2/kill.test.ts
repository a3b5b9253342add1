import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createQcow2 } from './create.ts'
import { Qcow2Error } from './errors.ts'
import { CLUSTER } from './format.ts'
import { checkQcow2, openQcow2 } from './open.ts'
import {
  DISK,
  History,
  nextOperation,
  type Operation,
  readValues,
  verify,
  ZONE_CLUSTERS,
} from './testing/crash-model.ts'
import { GuestBuffer, qemuCheck, Random, temporaryFolder } from './testing/support.ts'

const CHILD = fileURLToPath(new URL('./testing/kill-child.ts', import.meta.url))
/** By hand as many as one has patience for. */
const ROUNDS = Number(process.env.HEARTH_KILL_ROUNDS ?? 30)
const BEGUN = 'b'.charCodeAt(0)

describe('a process killed while it writes a qcow2 image', () => {
  let folder = ''
  before(() => {
    folder = temporaryFolder()
  })
  after(() => {
    fs.rmSync(folder, { recursive: true })
  })

  it(`loses nothing that was flushed, ${ROUNDS} times on the same disk`, {
    timeout: 8000 * ROUNDS,
  }, async () => {
    const file = path.join(folder, 'disk.qcow2')
    createQcow2({ path: file, size: DISK })
    const random = new Random(77)
    const guest = new GuestBuffer(ZONE_CLUSTERS * CLUSTER, random)
    let values: Float64Array = new Float64Array()
    let operations = 0
    let leaks = 0
    for (let round = 1; round <= ROUNDS; round++) {
      const firstValue = round * 1_000_000
      const progress = await killAfter(3 * (1 + random.below(240)), [file, String(round), String(firstValue)])

      // The child's requests, by the events of its own account.
      const history = new History((index) => values[index] ?? 0)
      const replay = new Random(round)
      const begun: { operation: Operation; at: number; ended: (at: number) => void }[] = []
      const events = Math.floor(progress.length / 3)
      for (let event = 0; event < events; event++) {
        const number = progress[event * 3 + 1]! + progress[event * 3 + 2]! * 256
        if (progress[event * 3] === BEGUN) {
          assert.equal(number, begun.length)
          const operation = nextOperation(replay, firstValue + number)
          begun.push({ operation, at: event, ended: history.beginLate(operation, event) })
        } else {
          const { operation, at, ended } = begun[number]!
          if (operation.kind === 'flush') history.flushed(at, event + 1)
          else ended(event + 1)
        }
      }
      operations += begun.length

      await released(file)
      const report = checkQcow2(file)
      assert.deepEqual(report.messages, [], `round ${round}`)
      leaks += report.leaks
      qemuCheck(file, true)
      const image = openQcow2(file)
      values = readValues(image, guest)
      verify(values, history, events, `round ${round}`)
      image.close()
      assert.equal(checkQcow2(file).leaks, 0)
    }
    qemuCheck(file)
    assert.ok(operations > ROUNDS * 20, `${operations} operations`)
    assert.ok(leaks > 0, 'no kill left anything to repair: they all came at the wrong time')
    guest.close()
  })
})

/** Starts the child, kills it -9 as soon as it has said `count` bytes, and returns all it had to say. */
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

/** What a process had under way in an io_uring ends some time after it: until then the file is in use. */
async function released(file: string): Promise<void> {
  for (const deadline = performance.now() + 20_000; ; await setTimeout(5)) {
    try {
      openQcow2(file, { readOnly: true }).close()
      return
    } catch (error) {
      if (!(error instanceof Qcow2Error) || error.problem !== 'in-use' || performance.now() > deadline)
        throw error
    }
  }
}
