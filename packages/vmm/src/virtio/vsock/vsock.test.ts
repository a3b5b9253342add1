import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, afterEach, describe, test } from 'node:test'
import { connectPasst as connectUnix } from '../../net/connect.ts'
import * as libc from '../../sys/libc.ts'
import { listenUnixFd } from '../../sys/unix-socket.ts'
import { STATUS } from '../constants.ts'
import { seeded, type TestDescriptor } from '../testing/driver.ts'
import { TestMachine } from '../testing/machine.ts'
import { PciDriver } from '../testing/pci-driver.ts'
import { BUFFER_BYTES } from './connection.ts'
import {
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  HOST_CID,
  OP,
  QUEUE,
  SHUTDOWN,
  TYPE_STREAM,
  type VsockHeader,
} from './protocol.ts'
import { VsockDevice } from './vsock.ts'

const CID = 7
const RX_BYTES = 4096
const folder = mkdtempSync(path.join(os.tmpdir(), 'vsock-'))
after(() => rmSync(folder, { recursive: true }))
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})
let sockets = 0

interface Packet {
  readonly header: VsockHeader
  readonly data: string
}

async function setUp(rxBuffers = 64) {
  const machine = new TestMachine()
  const file = path.join(folder, `v${sockets++}`)
  const listenFd = await listenUnixFd('vsock', file)
  const logged: string[] = []
  const device = new VsockDevice({ cid: CID, listenFd, path: file }, (text) => logged.push(text))
  const driver = new PciDriver(machine, device)
  driver.start(driver.offered())
  const rxAt = (id: number): number => driver.data + id * RX_BYTES
  const txAt = (i: number): number => driver.data + 0x10_0000 + (i % 64) * 0x1_1000
  const fill = (count: number): void => {
    for (let i = 0; i < count; i++) {
      // The buffer of a chain is that of its first descriptor, which comes back as the id.
      const id = (nextRx++ * 2) % driver.queues[QUEUE.RX]!.size
      driver.queues[QUEUE.RX]!.add([
        { address: rxAt(id), length: HEADER_BYTES, writable: true },
        { address: rxAt(id) + HEADER_BYTES, length: RX_BYTES - HEADER_BYTES, writable: true },
      ])
    }
    driver.kick(QUEUE.RX)
  }
  let nextRx = 0
  let nextTx = 0
  const packets: Packet[] = []
  fill(rxBuffers)
  closers.push(() => {
    driver.bus.close()
    machine.close()
    libc.close(listenFd)
  })
  const vm = {
    ...{ machine, device, driver, logged, path: file, fill },
    /** A program of the host; its descriptor is closed at the end unless the test does. */
    connect(line: string): number {
      const fd = connectUnix(file)
      const bytes = Buffer.from(line)
      libc.write(fd, bytes, bytes.length)
      return fd
    },
    async listen(port: number): Promise<number> {
      const fd = await listenUnixFd('vsock', `${file}_${port}`)
      closers.push(() => libc.close(fd))
      return fd
    },
    accept: (fd: number): number => libc.check('accept4', libc.accept4(fd, null, null, 0o4000)),
    send(header: Partial<VsockHeader>, data: Uint8Array = new Uint8Array(0)): void {
      const at = txAt(nextTx++)
      const full = {
        ...{ sourceCid: CID, destinationCid: HOST_CID, sourcePort: 0, destinationPort: 0 },
        ...{ length: data.length, type: TYPE_STREAM, op: OP.RW, flags: 0 },
        ...{ bufferSize: 1 << 20, forwarded: 0, ...header },
      }
      machine.memory.write(at, encodeHeader(full))
      machine.memory.write(at + HEADER_BYTES, data)
      const parts: TestDescriptor[] = [{ address: at, length: HEADER_BYTES }]
      if (data.length > 0) parts.push({ address: at + HEADER_BYTES, length: data.length })
      driver.queues[QUEUE.TX]!.add(parts)
      driver.kick(QUEUE.TX)
    },
    /** Waits for the next packet; each buffer goes back at once. */
    next(what: string): Packet {
      machine.until(what, () => {
        for (const { id, length } of driver.queues[QUEUE.RX]!.takeUsed()) {
          const bytes = machine.memory.bytes(rxAt(id), length).slice()
          const header = decodeHeader(bytes)
          packets.push({ header, data: Buffer.from(bytes.subarray(HEADER_BYTES)).toString('latin1') })
          fill(1)
        }
        return packets.length > 0
      })
      return packets.shift()!
    },
    /** Waits until the host's program has read `text` in all. */
    reads(fd: number, text: string): void {
      let read = ''
      machine.until(`"${text}" at the host`, () => {
        read += readAll(fd)
        return read.length >= text.length
      })
      assert.equal(read, text)
    },
    until: (what: string, done: () => boolean) => machine.until(what, done),
    settle: () => {
      for (let i = 0; i < 5; i++) machine.loop.runOnce(5)
    },
  }
  return vm
}

/** What came so far; undefined behind the end. */
function readSome(fd: number): string | undefined {
  const bytes = new Uint8Array(300_000)
  const count = libc.read(fd, bytes, bytes.length)
  if (count === 0) return undefined
  return count > 0 ? Buffer.from(bytes.subarray(0, count)).toString('latin1') : ''
}
const readAll = (fd: number): string => readSome(fd) ?? ''
const write = (fd: number, text: string): number => libc.write(fd, Buffer.from(text), text.length)
const portsOf = ({ header }: Packet) => ({
  sourcePort: header.destinationPort,
  destinationPort: header.sourcePort,
})

/** A stream that the host asked for, up. */
async function connected(rxBuffers?: number) {
  const vm = await setUp(rxBuffers)
  const fd = vm.connect('CONNECT 80\n')
  closers.push(() => libc.close(fd))
  const request = vm.next('the request')
  assert.equal(request.header.op, OP.REQUEST)
  assert.equal(request.header.destinationPort, 80)
  assert.deepEqual([request.header.sourceCid, request.header.destinationCid], [HOST_CID, CID])
  assert.equal(request.header.bufferSize, BUFFER_BYTES)
  const ports = portsOf(request)
  vm.send({ ...ports, op: OP.RESPONSE })
  vm.reads(fd, `OK ${ports.destinationPort}\n`)
  return { ...vm, fd, ports }
}

describe('vsock', () => {
  test('a program of the host reaches one of the guest, and bytes go both ways; its end ends it', async () => {
    const vm = await connected()
    assert.equal(vm.driver.configRead(0, 4), CID)
    write(vm.fd, 'ping')
    const packet = vm.next('data')
    assert.deepEqual([packet.header.op, packet.data], [OP.RW, 'ping'])
    vm.send(vm.ports, Buffer.from('pong'))
    vm.reads(vm.fd, 'pong')
    assert.equal(vm.device.counters.txBytes, 4)
    // It says that it sends no more, and still reads.
    libc.shutdown(vm.fd, 1)
    const half = vm.next('the half shutdown')
    assert.deepEqual([half.header.op, half.header.flags], [OP.SHUTDOWN, SHUTDOWN.SEND])
    vm.send(vm.ports, Buffer.from('last'))
    vm.reads(vm.fd, 'last')
    vm.send({ ...vm.ports, op: OP.SHUTDOWN, flags: SHUTDOWN.BOTH })
    assert.equal(vm.next('the reset').header.op, OP.RST)
    assert.equal(readSome(vm.fd), undefined)
  })

  test('what comes with the greeting is the guest’s; a program that goes is told', async () => {
    const vm = await setUp()
    const fd = vm.connect('CONNECT 5\nearly')
    const request = vm.next('the request')
    vm.send({ ...portsOf(request), op: OP.RESPONSE })
    assert.equal(vm.next('data').data, 'early')
    // What it leaves unread would make its end a reset.
    vm.reads(fd, `OK ${request.header.sourcePort}\n`)
    libc.close(fd)
    const end = vm.next('the shutdown')
    assert.deepEqual([end.header.op, end.header.flags], [OP.SHUTDOWN, SHUTDOWN.BOTH])
    vm.send({ ...portsOf(request), op: OP.RST })
    vm.send({ ...portsOf(request) }, Buffer.from('late'))
    assert.equal(vm.next('the refusal').header.op, OP.RST)
  })

  test('the guest reaches who listens at the path, or who waits at the socket; else it is refused', async () => {
    const vm = await setUp()
    vm.send({ sourcePort: 900, destinationPort: 1234, op: OP.REQUEST })
    assert.equal(vm.next('the refusal').header.op, OP.RST)
    const listener = await vm.listen(1234)
    vm.send({ sourcePort: 901, destinationPort: 1234, op: OP.REQUEST })
    const response = vm.next('the response')
    assert.equal(response.header.op, OP.RESPONSE)
    const fd = vm.accept(listener)
    vm.send({ sourcePort: 901, destinationPort: 1234 }, Buffer.from('hello'))
    vm.reads(fd, 'hello')
    write(fd, 'back')
    assert.equal(vm.next('data').data, 'back')
    libc.close(fd)

    const waiting = vm.connect('LISTEN 4321\n')
    const gone = vm.connect('LISTEN 4321\n')
    vm.settle()
    libc.close(gone)
    vm.settle()
    vm.next('the shutdown')
    vm.send({ sourcePort: 902, destinationPort: 4321, op: OP.REQUEST })
    assert.equal(vm.next('the response').header.op, OP.RESPONSE)
    vm.reads(waiting, 'OK 902\n')
    vm.send({ sourcePort: 903, destinationPort: 4321, op: OP.REQUEST })
    assert.equal(vm.next('the refusal').header.op, OP.RST, 'nobody waits any more')
    libc.close(waiting)
  })

  test('greetings that are none end the connection', async () => {
    const vm = await setUp()
    for (const line of ['HELLO\n', 'CONNECT\n', 'CONNECT 4294967296\n', `CONNECT ${'1'.repeat(40)}`, '\n']) {
      const fd = vm.connect(line)
      vm.until(`the end of ${line}`, () => readSome(fd) === undefined)
      libc.close(fd)
    }
    assert.equal(vm.device.counters.connections, 0)
  })

  test('a megabyte each way arrives whole, whatever the credit and however slow the reader', async () => {
    const vm = await connected(4)
    const below = seeded(5)
    const text = Array.from({ length: 1 << 20 }, () => String.fromCharCode(97 + below(26))).join('')
    let written = 0
    let got = ''
    // The guest takes 10000 bytes at a time and says so now and then.
    let told = 0
    vm.send({ ...vm.ports, op: OP.CREDIT_UPDATE, bufferSize: 10_000, forwarded: 0 })
    while (got.length < text.length) {
      written += Math.max(0, write(vm.fd, text.slice(written, written + 50_000)))
      const packet = vm.next('data')
      if (packet.header.op !== OP.RW) continue
      got += packet.data
      assert.ok(got.length - told <= 10_000, 'no more than the guest has room for')
      if (got.length - told >= 8000 || got.length === text.length) {
        told = got.length
        vm.send({ ...vm.ports, op: OP.CREDIT_UPDATE, bufferSize: 10_000, forwarded: told })
      }
    }
    assert.equal(got, text)

    let sent = 0
    let read = ''
    let known = 0
    while (read.length < text.length) {
      const length = Math.min(30_000, text.length - sent, BUFFER_BYTES - (sent - known))
      if (length > 0) {
        vm.send(vm.ports, Buffer.from(text.slice(sent, sent + length)))
        sent += length
        vm.settle()
        if (sent - known < BUFFER_BYTES && sent < text.length) continue
      }
      // Only now the program reads, and the guest hears of the room.
      vm.until('something to read', () => {
        const some = readAll(vm.fd)
        read += some
        return some.length > 0
      })
      if (sent === text.length) continue
      while (sent - known >= BUFFER_BYTES - 30_000) {
        read += readAll(vm.fd)
        vm.settle()
        if (vm.driver.queues[QUEUE.RX]!.usedIndex === 0) continue
        const update = vm.next('the credit')
        assert.equal(update.header.op, OP.CREDIT_UPDATE)
        known = update.header.forwarded
      }
    }
    assert.equal(read, text)
  })

  test('a guest that sends more than it may, or what does not fit, loses that connection only', async () => {
    const vm = await connected()
    const block = new Uint8Array(60_000)
    for (let i = 0; i < 40; i++) vm.send(vm.ports, block)
    let last = vm.next('an answer')
    while (last.header.op === OP.CREDIT_UPDATE) last = vm.next('the reset')
    assert.equal(last.header.op, OP.RST)
    for (const op of [OP.RESPONSE, 0, 99]) {
      const listener = await vm.listen(7000 + op)
      const ports = { sourcePort: 50 + op, destinationPort: 7000 + op }
      vm.send({ ...ports, op: OP.REQUEST })
      let answer = vm.next('the response')
      while (answer.header.op === OP.RST) answer = vm.next('the response')
      assert.equal(answer.header.op, OP.RESPONSE)
      const fd = vm.accept(listener)
      vm.send({ ...ports, op })
      assert.equal(vm.next('the reset').header.op, OP.RST)
      vm.until('the end', () => readSome(fd) === undefined)
      libc.close(fd)
    }
    // Another's address, another kind, nobody's.
    vm.send({ sourceCid: 9, op: OP.REQUEST, sourcePort: 1, destinationPort: 1 })
    vm.send({ destinationCid: 9, op: OP.REQUEST, sourcePort: 2, destinationPort: 2 })
    vm.send({ type: 2, op: OP.REQUEST, sourcePort: 3, destinationPort: 3 })
    assert.equal(vm.next('a refusal').header.destinationPort, 2)
    assert.equal(vm.next('a refusal').header.destinationPort, 3)
    assert.equal(vm.driver.status & STATUS.DEVICE_NEEDS_RESET, 0)
  })

  test('a flood of refusals waits for the guest to take them', async () => {
    const vm = await setUp(0)
    for (let i = 0; i < 2000; i++) {
      vm.send({ sourcePort: i, destinationPort: 9, op: OP.REQUEST })
      vm.machine.loop.runOnce(0)
      if (vm.driver.queues[QUEUE.TX]!.usedIndex + 60 < i) break
    }
    vm.settle()
    assert.ok(vm.device.counters.refused < 400, `${vm.device.counters.refused}`)
    const before = vm.device.counters.refused
    vm.fill(32)
    for (let i = 0; i < before; i++) assert.equal(vm.next('a refusal').header.op, OP.RST)
    vm.until('the rest', () => vm.device.counters.refused > before)
  })

  for (const [what, length, says] of [
    ['without a header', 20, 0],
    ['shorter than it says', HEADER_BYTES + 4, 5],
  ] as const) {
    test(`a packet ${what} stops the device until a reset`, async () => {
      const vm = await connected()
      const at = vm.driver.data + 0x70_0000
      vm.machine.memory.write(at, encodeHeader({ ...headerOf(vm.ports), length: says }))
      vm.driver.queues[QUEUE.TX]!.add([{ address: at, length }])
      vm.driver.kick(QUEUE.TX)
      vm.until('the failure', () => (vm.driver.status & STATUS.DEVICE_NEEDS_RESET) !== 0)
      assert.equal(readSome(vm.fd), undefined)
    })
  }

  test('restored, the guest is told that all connections are gone', async () => {
    const vm = await connected()
    const state = vm.driver.bus.save()
    // What a new process has: the same memory, and a device that knows nothing.
    vm.driver.bus.reset()
    assert.equal(readSome(vm.fd), undefined)
    vm.driver.bus.restore(state)
    const event = vm.driver.data + 0x70_0000
    vm.machine.memory.writeU32(event, 99)
    vm.driver.queues[QUEUE.EVENT]!.add([{ address: event, length: 8, writable: true }])
    vm.driver.kick(QUEUE.EVENT)
    vm.until('the event', () => vm.driver.queues[QUEUE.EVENT]!.usedIndex > 0)
    assert.equal(vm.machine.memory.readU32(event), 0)
    vm.send(vm.ports, Buffer.from('still there?'))
    assert.equal(vm.next('the reset').header.op, OP.RST)
  })
})

const headerOf = (ports: { sourcePort: number; destinationPort: number }): VsockHeader => ({
  ...{ sourceCid: CID, destinationCid: HOST_CID, ...ports, length: 0, type: TYPE_STREAM },
  ...{ op: OP.RW, flags: 0, bufferSize: 4096, forwarded: 0 },
})
