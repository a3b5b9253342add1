import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { check, close, EFD, eventfdCreate, read } from '../sys/libc.ts'
import { allocateControl } from '../vcpu/control.ts'
import { abandonMailboxes, type BusAccess, MailboxServer } from './mailbox.ts'

/** A thread that posts accesses like a vCPU and sends back what it read. */
const CLIENT = `
  import { parentPort, workerData } from 'node:worker_threads'
  const { MailboxClient } = await import(workerData.mailbox)
  const client = new MailboxClient(workerData.control, workerData.cpu, workerData.wakeFd)
  parentPort.postMessage(workerData.accesses.map((access) => client.access(...access)))`

type Access = [mmio: boolean, isWrite: boolean, low: number, high: number, size: number, value: number]

function client(
  control: SharedArrayBuffer,
  cpu: number,
  wakeFd: number,
  accesses: Access[],
): Promise<number[]> {
  const mailbox = new URL('./mailbox.ts', import.meta.url).href
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(CLIENT)}`), {
    workerData: { mailbox, control, cpu, wakeFd, accesses },
  })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

function eventfd(t: { after(fn: () => void): void }): number {
  const fd = check('eventfd', eventfdCreate(0, EFD.NONBLOCK))
  t.after(() => close(fd))
  return fd
}

test('accesses of several vCPUs reach the right bus and answer the right vCPU', async (t) => {
  const control = allocateControl(3)
  const wakeFd = eventfd(t)
  const log: string[] = []
  const bus = (name: string): BusAccess => ({
    read: (address, size) => {
      log.push(`${name} read ${address.toString(16)}/${size}`)
      return (address % 2 ** 32) + size
    },
    write: (address, size, value) => {
      log.push(`${name} write ${address.toString(16)}/${size}=${value.toString(16)}`)
    },
  })
  const server = new MailboxServer(control, 3, bus('pio'), bus('mmio'))
  let over = false
  const answers = Promise.all([
    client(control, 0, wakeFd, [[false, false, 0xcfc, 0, 4, 0]]),
    client(control, 2, wakeFd, [
      [true, false, 0xffff_fff0 | 0, 1, 2, 0],
      [true, true, 0xfee0_0000 | 0, 0, 4, 0xffff_ffff | 0],
    ]),
  ]).finally(() => {
    over = true
  })
  while (!over) {
    read(wakeFd, new BigUint64Array(1), 8)
    server.serve()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  assert.deepEqual(await answers, [[0xd00], [0xffff_fff2, 0xffff_ffff]])
  assert.deepEqual(log.sort(), ['mmio read 1fffffff0/2', 'mmio write fee00000/4=ffffffff', 'pio read cfc/4'])
})

test('without an I/O thread a waiting vCPU is let go and reads all ones', async (t) => {
  const control = allocateControl(1)
  const wakeFd = eventfd(t)
  let over = false
  const answer = client(control, 0, wakeFd, [[false, false, 0x60, 0, 4, 0]]).finally(() => {
    over = true
  })
  while (!over) {
    abandonMailboxes(control, 1)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  assert.deepEqual(await answer, [0xffff_ffff])
})
