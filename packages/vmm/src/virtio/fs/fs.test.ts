import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { close } from '../../sys/libc.ts'
import { TestMachine } from '../testing/machine.ts'
import { PciDriver } from '../testing/pci-driver.ts'
import { createChannel } from './channel.ts'
import { FsDevice } from './fs.ts'
import { openFolder } from './open-folder.ts'
import { FUSE_ROOT_ID, OPCODE } from './protocol.ts'
import { type FsServer, InlineServer } from './server.ts'
import { type FolderOptions, Session } from './session.ts'
import { O } from './system.ts'
import { entryOf, type Field, requestBytes } from './testing/client.ts'
import { ThreadServer } from './thread-server.ts'
import type { FsWorkerData } from './worker.ts'

const REQUEST = 0x10_0000
const ANSWER = 0x20_0000
const shared = fs.mkdtempSync(path.join(os.tmpdir(), 'share-device-'))
const folder: FolderOptions = { fd: openFolder(shared, true, false), writable: true, owner: 1000 }
const workers: Worker[] = []
after(async () => {
  for (const worker of workers) await worker.terminate()
  close(folder.fd)
  fs.rmSync(shared, { recursive: true })
})

async function threadServer(): Promise<FsServer> {
  const channel = createChannel()
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { channel, folder, jail: undefined } satisfies FsWorkerData,
  })
  workers.push(worker)
  await new Promise((resolve) => worker.once('message', resolve))
  return new ThreadServer(channel)
}
const inlineServer = (): FsServer => new InlineServer(new Session(folder))

class Guest {
  readonly machine = new TestMachine()
  driver: PciDriver

  constructor(server: FsServer) {
    this.driver = new PciDriver(this.machine, new FsDevice('files', server))
    this.driver.start(this.driver.offered())
  }

  /** A request and its answer; `data` follows it, `room` is for what is read. */
  ask(opcode: number, node: number, fields: readonly Field[], data = new Uint8Array(), room = 4096) {
    const { machine, driver } = this
    const request = requestBytes(opcode, node, fields)
    machine.memory.write(REQUEST, request)
    machine.memory.write(REQUEST + 0x1_0000, data)
    const queue = driver.queues[1]!
    queue.add([
      { address: REQUEST, length: request.length },
      ...(data.length > 0 ? [{ address: REQUEST + 0x1_0000, length: data.length }] : []),
      { address: ANSWER, length: 16, writable: true },
      { address: ANSWER + 16, length: room, writable: true },
    ])
    const before = queue.usedIndex
    driver.kick(1)
    machine.until(`the answer to ${opcode}`, () => queue.usedIndex !== before)
    const [used] = queue.takeUsed()
    const body = machine.memory.bytes(ANSWER, 16 + room).slice(0, used!.length)
    const view = new DataView(body.buffer)
    return { error: view.getInt32(4, true), length: used!.length, body: new DataView(body.buffer, 16) }
  }

  init(): void {
    assert.equal(
      this.ask(OPCODE.INIT, 0, [7, 38, 0, 0xffff_ffff, 0, ...new Array<number>(11).fill(0)]).error,
      0,
    )
  }

  close(): void {
    this.driver.bus.close()
    this.machine.close()
  }
}

for (const [where, make] of [
  ['on the thread that asks', inlineServer],
  ['on a thread of its own', threadServer],
] as const) {
  describe(`a shared folder's device, answered ${where}`, () => {
    test('has a tag and one queue for requests', async () => {
      const guest = new Guest(await make())
      const config = Array.from({ length: 40 }, (_, i) => guest.driver.configRead(i, 1))
      assert.equal(Buffer.from(config.slice(0, 36)).toString(), `files${'\0'.repeat(31)}`)
      assert.equal(guest.driver.configRead(36, 4), 1)
      assert.equal(guest.driver.queues.length, 2)
      guest.close()
    })

    test('moves data between files and guest memory, and goes on after a snapshot', async () => {
      const guest = new Guest(await make())
      guest.init()
      const made = guest.ask(OPCODE.CREATE, FUSE_ROOT_ID, [O.RDWR, 0o644, 0, 0, 'data'])
      const { node } = entryOf(made.body)
      const handle = made.body.getBigUint64(128, true)
      const data = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) & 0xff)
      const wrote = guest.ask(OPCODE.WRITE, node, [handle, 5n, data.length, 0, 0n, 0, 0], data)
      assert.deepEqual([wrote.error, wrote.body.getUint32(0, true)], [0, data.length])
      assert.deepEqual(new Uint8Array(fs.readFileSync(path.join(shared, 'data')).subarray(5)), data)

      guest.driver = guest.driver.moveTo(new FsDevice('files', await make()))
      const size = 131_072
      const read = guest.ask(OPCODE.READ, node, [handle, 5n, size, 0, 0n, 0, 0], undefined, size)
      assert.deepEqual([read.error, read.length], [0, 16 + data.length])
      assert.deepEqual(new Uint8Array(read.body.buffer, 16, data.length), data)
      // The high priority queue forgets, without an answer.
      guest.machine.memory.write(REQUEST, requestBytes(OPCODE.FORGET, node, [1n]))
      guest.driver.queues[0]!.add([{ address: REQUEST, length: 48 }])
      guest.driver.kick(0)
      guest.machine.until('forgetting', () => guest.driver.queues[0]!.takeUsed().length > 0)
      assert.deepEqual(guest.driver.messages, [])
      guest.close()
    })

    test('answers more requests than it has places for', async () => {
      const guest = new Guest(await make())
      guest.init()
      const queue = guest.driver.queues[1]!
      guest.machine.memory.write(REQUEST, requestBytes(OPCODE.STATFS, FUSE_ROOT_ID, []))
      for (let i = 0; i < 100; i++) {
        queue.add([
          { address: REQUEST, length: 40 },
          { address: ANSWER + i * 4096, length: 96, writable: true },
        ])
      }
      guest.driver.kick(1)
      const used: number[] = []
      guest.machine.until('all answers', () => {
        used.push(...queue.takeUsed().map(({ length }) => length))
        return used.length === 100
      })
      assert.ok(used.every((length) => length === 96))
      guest.close()
    })

    test('closes what a guest left open when it starts over', async () => {
      const guest = new Guest(await make())
      guest.init()
      fs.writeFileSync(path.join(shared, 'left'), 'x')
      const { node } = entryOf(guest.ask(OPCODE.LOOKUP, FUSE_ROOT_ID, ['left']).body)
      const before = fs.readdirSync('/proc/self/fd').length
      for (let i = 0; i < 5; i++) assert.equal(guest.ask(OPCODE.OPEN, node, [O.RDONLY, 0]).error, 0)
      assert.equal(fs.readdirSync('/proc/self/fd').length, before + 5)
      guest.driver.start(guest.driver.offered())
      assert.equal(fs.readdirSync('/proc/self/fd').length, before)
      assert.equal(guest.ask(OPCODE.GETATTR, FUSE_ROOT_ID, [0, 0, 0n]).error, -5)
      guest.init()
      assert.equal(guest.ask(OPCODE.GETATTR, FUSE_ROOT_ID, [0, 0, 0n]).error, 0)
      guest.close()
    })

    test('needs a reset after a request without a header or without room', async () => {
      for (const parts of [
        [{ address: REQUEST, length: 39 }],
        [
          { address: REQUEST, length: 40 },
          { address: ANSWER, length: 15, writable: true },
        ],
        [
          { address: REQUEST, length: 40 },
          { address: ANSWER, length: 20, writable: true },
        ],
      ]) {
        const guest = new Guest(await make())
        guest.init()
        guest.machine.memory.write(REQUEST, requestBytes(OPCODE.STATFS, FUSE_ROOT_ID, []))
        guest.driver.queues[1]!.add(parts)
        guest.driver.kick(1)
        guest.machine.until('the fault', () => guest.driver.messages.length > 0)
        assert.ok((guest.driver.status & 64) !== 0)
        guest.close()
      }
    })
  })
}
