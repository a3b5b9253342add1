import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import {
  findProcessesByArgument,
  identifyProcess,
  isProcessAlive,
  processStartTicks,
  readBootId,
  signalProcess,
} from './process-identity.ts'

const bootId = readBootId()

test('a process is known by pid, start time and boot; another one with its pid is a stranger', async () => {
  const mark = `mark-${process.pid}-${Date.now()}`
  const child = spawn('sh', ['-c', 'read forever', mark], { stdio: ['pipe', 'ignore', 'ignore'] })
  await new Promise((resolve) => child.once('spawn', resolve))
  const identity = identifyProcess(child.pid!, bootId)!
  assert.ok(isProcessAlive(identity, bootId))
  assert.equal(isProcessAlive({ ...identity, startTicks: identity.startTicks + 1 }, bootId), false)
  assert.equal(isProcessAlive(identity, 'another boot'), false)
  assert.equal(signalProcess({ ...identity, startTicks: identity.startTicks + 1 }, bootId, 'SIGKILL'), false)
  assert.ok(isProcessAlive(identity, bootId), 'a stranger was not signalled')
  assert.deepEqual(findProcessesByArgument(mark, bootId), [identity])

  const gone = new Promise((resolve) => child.once('exit', resolve))
  assert.ok(signalProcess(identity, bootId, 'SIGKILL'))
  await gone
  assert.equal(isProcessAlive(identity, bootId), false)
  assert.equal(processStartTicks(child.pid!), null)
  assert.deepEqual(findProcessesByArgument(mark, bootId), [])
})
