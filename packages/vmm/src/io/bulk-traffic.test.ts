import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import * as libc from '../sys/libc.ts'
import { BulkTraffic } from './bulk-traffic.ts'
import { EpollLoop } from './epoll-loop.ts'

const PARAMETERS = new Int32Array([0])
const KIB = 1024
const policy = () => libc.schedGetscheduler(0)
const setPolicy = (to: number) => libc.check('sched_setscheduler', libc.schedSetscheduler(0, to, PARAMETERS))

let loop: EpollLoop
beforeEach(() => {
  setPolicy(libc.SCHED.OTHER)
  loop = new EpollLoop()
})
afterEach(() => {
  loop.close()
  setPolicy(libc.SCHED.OTHER)
})

test('a thread whose networks move a lot is a batch thread until they move less', () => {
  const traffic = new BulkTraffic(loop)
  for (let i = 0; i < 1000 && policy() === libc.SCHED.OTHER; i++) traffic.moved(50 * KIB)
  assert.equal(policy(), libc.SCHED.BATCH)
  // As much again before it looks: it stays.
  traffic.moved(200 * KIB)
  loop.runOnce(1000)
  assert.equal(policy(), libc.SCHED.BATCH)
  traffic.moved(1 * KIB)
  loop.runOnce(1000)
  assert.equal(policy(), libc.SCHED.OTHER)
  // And nothing looks any more.
  const before = performance.now()
  loop.runOnce(100)
  assert.ok(performance.now() - before > 90)
})

test('little at a time never makes one', () => {
  const traffic = new BulkTraffic(loop)
  for (let i = 0; i < 5; i++) {
    traffic.moved(100 * KIB)
    loop.runOnce(30)
  }
  assert.equal(policy(), libc.SCHED.OTHER)
})

test('a thread that somebody gave another policy keeps it', () => {
  setPolicy(libc.SCHED.BATCH)
  const traffic = new BulkTraffic(loop)
  traffic.moved(1024 * KIB)
  traffic.close()
  assert.equal(policy(), libc.SCHED.BATCH)
})

test('a machine that ends in the middle of a transfer leaves the thread as it was', () => {
  const traffic = new BulkTraffic(loop)
  traffic.moved(1024 * KIB)
  assert.equal(policy(), libc.SCHED.BATCH)
  traffic.close()
  assert.equal(policy(), libc.SCHED.OTHER)
})
