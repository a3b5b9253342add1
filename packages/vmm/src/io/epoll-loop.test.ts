import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import * as libc from '../sys/libc.ts'
import { EpollLoop } from './epoll-loop.ts'

const fds: number[] = []
afterEach(() => {
  for (const fd of fds.splice(0)) libc.close(fd)
})

function eventfd(initial = 0): number {
  const fd = libc.check('eventfd', libc.eventfdCreate(initial, libc.EFD.NONBLOCK | libc.EFD.CLOEXEC))
  fds.push(fd)
  return fd
}
const signal = (fd: number) => libc.check('write', libc.write(fd, new BigUint64Array([1n]), 8))
const clear = (fd: number) => libc.read(fd, new Uint8Array(8), 8)

test('run delivers what is readable until stop', () => {
  const loop = new EpollLoop()
  const fd = eventfd(1)
  let calls = 0
  loop.onReadable(fd, () => {
    // Level-triggered: not reading means being called again.
    if (++calls === 3) {
      clear(fd)
      loop.after(0, () => loop.stop())
    }
  })
  loop.run()
  assert.equal(calls, 3)
  loop.close()
})

test('timers fire in order of their time, once, and not after removal', () => {
  const loop = new EpollLoop()
  const order: string[] = []
  loop.after(20, () => {
    order.push('late')
    loop.stop()
  })
  loop.after(5, () => order.push('early'))
  loop.after(5, () => order.push('early too'))
  loop.after(1, () => order.push('never')).remove()
  loop.after(0, () => {
    order.push('first')
    loop.after(0, () => order.push('from a timer'))
  })
  loop.run()
  assert.deepEqual(order, ['first', 'from a timer', 'early', 'early too', 'late'])
  loop.close()
})

test('a callback may remove another registration of the same batch', () => {
  const loop = new EpollLoop()
  const [a, b] = [eventfd(1), eventfd(1)]
  const called: string[] = []
  const registrations = [
    loop.onReadable(a, () => {
      called.push('a')
      registrations[1]?.remove()
      clear(a)
    }),
    loop.onReadable(b, () => {
      called.push('b')
      registrations[0]?.remove()
      clear(b)
    }),
  ]
  loop.runOnce(1000)
  loop.runOnce(0)
  assert.equal(called.length, 1)
  for (const registration of registrations) registration.remove()
  loop.close()
})

test('an event fetched for a closed fd is not given to its successor of the same number', () => {
  const loop = new EpollLoop()
  const a = eventfd(1)
  const b = libc.check('eventfd', libc.eventfdCreate(1, libc.EFD.NONBLOCK))
  let wrong = 0
  const replace = (mine: number, other: { fd: number; remove(): void }) => {
    other.remove()
    libc.close(other.fd)
    const successor = libc.check('eventfd', libc.eventfdCreate(0, libc.EFD.NONBLOCK))
    assert.equal(successor, other.fd)
    fds.push(successor)
    loop.onReadable(successor, () => wrong++)
    clear(mine)
  }
  fds.length = 0
  let done = false
  const first = loop.onReadable(a, () => {
    if (!done) replace(a, { fd: b, remove: () => second.remove() })
    done = true
  })
  const second = loop.onReadable(b, () => {
    if (!done) replace(b, { fd: a, remove: () => first.remove() })
    done = true
  })
  loop.runOnce(1000)
  assert.equal(done, true)
  assert.equal(wrong, 0)
  loop.runOnce(0)
  assert.equal(wrong, 0)
  loop.close()
})

test('one fd can be watched for both directions, each on its own', () => {
  const loop = new EpollLoop()
  const fd = eventfd(1)
  let reads = 0
  let writes = 0
  const readable = loop.onReadable(fd, () => reads++)
  const writable = loop.onWritable(fd, () => writes++)
  assert.throws(() => loop.onReadable(fd, () => {}), RangeError)
  loop.runOnce(1000)
  assert.deepEqual([reads, writes], [1, 1])
  readable.remove()
  readable.remove()
  loop.runOnce(1000)
  assert.deepEqual([reads, writes], [1, 2])
  writable.remove()
  signal(fd)
  loop.runOnce(0)
  assert.deepEqual([reads, writes], [1, 2])
  loop.onReadable(fd, () => reads++)
  loop.runOnce(1000)
  assert.equal(reads, 2)
  loop.close()
})

test('an exception in a callback ends the run and the loop can run again', () => {
  const loop = new EpollLoop()
  loop.after(0, () => {
    throw new Error('mine')
  })
  assert.throws(() => loop.run(), /mine/)
  loop.after(0, () => loop.stop())
  loop.run()
  loop.close()
})

test('watching what cannot be watched is an error with a name, and leaves nothing behind', () => {
  const loop = new EpollLoop()
  assert.throws(() => loop.onReadable(9999, () => {}), /epoll_ctl: EBADF/)
  assert.throws(() => loop.onReadable(9999, () => {}), /epoll_ctl: EBADF/)
  loop.close()
  loop.close()
})
