import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { connectPasst as connectUnix } from '../../net/connect.ts'
import * as libc from '../../sys/libc.ts'
import { listenUnixFd } from '../../sys/unix-socket.ts'
import { STATUS } from '../constants.ts'
import { TestMachine } from '../testing/machine.ts'
import { PciDriver } from '../testing/pci-driver.ts'
import { ConsoleDevice } from './console.ts'
import { PortSocket } from './port-socket.ts'
import { CONTROL_RX, CONTROL_TX, EVENT, rxQueue, txQueue } from './protocol.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'console-'))
after(() => rmSync(folder, { recursive: true }))
let sockets = 0

async function setUp(names = ['org.qemu.guest_agent.0', 'other']) {
  const machine = new TestMachine()
  const paths = names.map(() => path.join(folder, `port-${sockets++}`))
  const listenFds: number[] = []
  for (const file of paths) listenFds.push(await listenUnixFd('port', file))
  const device = new ConsoleDevice(names.map((name, i) => ({ name, end: new PortSocket(listenFds[i]!) })))
  const driver = new PciDriver(machine, device)
  driver.start(driver.offered())
  const buffer = (i: number): number => driver.data + i * 0x1_0000
  const received: string[] = []
  const fillControl = (): void => {
    for (let i = 0; i < 8; i++) {
      driver.queues[CONTROL_RX]!.add([{ address: buffer(i), length: 64, writable: true }])
    }
    driver.kick(CONTROL_RX)
  }
  let controls = 0
  const control = (id: number, event: number, value: number, length = 8): void => {
    const at = buffer(10) + 64 * (controls++ % 64)
    machine.memory.writeU32(at, id)
    machine.memory.writeU16(at + 4, event)
    machine.memory.writeU16(at + 6, value)
    driver.queues[CONTROL_TX]!.add([{ address: at, length }])
    driver.kick(CONTROL_TX)
  }
  return {
    machine,
    device,
    driver,
    buffer,
    control,
    fillControl,
    connect: (port: number) => connectUnix(paths[port - 1]!),
    /** Waits until so many control messages came in all, and tells them as "id event value name". */
    messages(count: number): string[] {
      machine.until(`${count} control messages`, () => {
        for (const { id, length } of driver.queues[CONTROL_RX]!.takeUsed()) {
          const at = buffer(id)
          const word = (offset: number): number => machine.memory.readU16(at + offset)
          const name = Buffer.from(machine.memory.bytes(at + 8, length - 8)).toString()
          received.push(`${word(0)} ${word(4)} ${word(6)} ${name}`.trim())
        }
        return received.length >= count
      })
      return received
    },
    /** The guest's program writes to a port. */
    write(port: number, text: string): void {
      machine.memory.write(buffer(20), Buffer.from(text))
      driver.queues[txQueue(port)]!.add([{ address: buffer(20), length: text.length }])
      driver.kick(txQueue(port))
    },
    close() {
      driver.bus.close()
      machine.close()
      for (const fd of listenFds) libc.close(fd)
    },
  }
}

/** What came so far on a socket of the host. */
function readAll(fd: number): string {
  const bytes = new Uint8Array(100_000)
  const count = libc.read(fd, bytes, bytes.length)
  return count > 0 ? Buffer.from(bytes.subarray(0, count)).toString() : ''
}

describe('console ports', () => {
  test('are announced with their names, opened from both sides, and carry bytes both ways', async () => {
    const vm = await setUp()
    assert.equal(vm.driver.configRead(4, 4), 3)
    vm.fillControl()
    vm.control(0, EVENT.DEVICE_READY, 1)
    assert.deepEqual(vm.messages(2), ['1 1 1', '2 1 1'])
    vm.control(1, EVENT.PORT_READY, 1)
    assert.equal(vm.messages(3).at(-1), '1 7 1 org.qemu.guest_agent.0')
    const host = vm.connect(1)
    assert.equal(vm.messages(4).at(-1), '1 6 1')
    // What came before the guest opened the port is nobody's.
    libc.write(host, Buffer.from('too early'), 9)
    for (let i = 0; i < 5; i++) vm.machine.loop.runOnce(0)
    const into = vm.buffer(30)
    vm.driver.queues[rxQueue(1)]!.add([{ address: into, length: 4096, writable: true }])
    vm.driver.kick(rxQueue(1))
    vm.machine.loop.runOnce(0)
    vm.control(1, EVENT.PORT_OPEN, 1)
    vm.machine.until('the guest to have opened it', () => vm.driver.queues[CONTROL_TX]!.usedIndex === 3)
    libc.write(host, Buffer.from('ping'), 4)
    vm.machine.until('the bytes', () => vm.driver.queues[rxQueue(1)]!.usedIndex === 1)
    assert.equal(Buffer.from(vm.machine.memory.bytes(into, 4)).toString(), 'ping')
    vm.write(1, 'pong')
    let answer = ''
    vm.machine.until('the answer', () => {
      answer += readAll(host)
      return answer === 'pong'
    })
    libc.close(host)
    // A driver keeps the queue filled: with no buffer there the end of what the host says is not reached.
    vm.driver.queues[rxQueue(1)]!.add([{ address: into, length: 4096, writable: true }])
    vm.driver.kick(rxQueue(1))
    assert.equal(vm.messages(5).at(-1), '1 6 0')
    // The next program gets the place.
    const next = vm.connect(1)
    assert.equal(vm.messages(6).at(-1), '1 6 1')
    libc.close(next)
    assert.deepEqual(vm.device.counters, { rxBytes: 4, txBytes: 4, lostBytes: 0 })
    vm.close()
  })

  test('a guest that offers no buffers holds its host back, one that sends too much is held back', async () => {
    const vm = await setUp(['one'])
    vm.fillControl()
    vm.control(0, EVENT.DEVICE_READY, 1)
    vm.control(1, EVENT.PORT_READY, 1)
    vm.control(1, EVENT.PORT_OPEN, 1)
    vm.messages(2)
    const host = vm.connect(1)
    vm.messages(3)
    const block = Buffer.alloc(4096, 'h')
    let sent = 0
    for (let count = 1; count > 0; ) {
      count = Math.max(0, libc.write(host, block, block.length))
      sent += count
      vm.machine.loop.runOnce(0)
    }
    assert.ok(sent < 4 << 20)
    let got = 0
    const queue = vm.driver.queues[rxQueue(1)]!
    vm.machine.until('all of it', () => {
      queue.add([{ address: vm.buffer(30), length: 0x8000, writable: true }])
      vm.driver.kick(rxQueue(1))
      vm.machine.loop.runOnce(10)
      for (const { length } of queue.takeUsed()) got += length
      return got === sent
    })

    // The other way: a program of the host that does not read.
    const out = vm.driver.queues[txQueue(1)]!
    let written = 0
    vm.machine.memory.fill(vm.buffer(20), 0xf000, 0x67)
    for (let answered = true; answered; ) {
      const before = out.usedIndex
      out.add([{ address: vm.buffer(20), length: 0xf000 }])
      vm.driver.kick(txQueue(1))
      written += 0xf000
      for (let i = 0; i < 5; i++) vm.machine.loop.runOnce(0)
      answered = out.usedIndex !== before
    }
    let read = 0
    vm.machine.until('the rest', () => {
      read += readAll(host).length
      vm.machine.loop.runOnce(0)
      return read === written
    })
    libc.close(host)
    vm.close()
  })

  test('without anybody at the host, and on port 0, the guest talks to nobody and never waits', async () => {
    const vm = await setUp(['one'])
    for (const port of [0, 1]) {
      vm.write(port, 'hello')
      vm.machine.until('it to be taken', () => vm.driver.queues[txQueue(port)]!.usedIndex === 1)
    }
    assert.deepEqual(vm.device.counters, { rxBytes: 0, txBytes: 0, lostBytes: 5 })
    vm.close()
  })

  test('what breaks the rules breaks the device, and a reset mends it', async () => {
    const vm = await setUp(['one'])
    const broken: [string, () => void][] = [
      ['a short control message', () => vm.control(0, EVENT.DEVICE_READY, 1, 7)],
      [
        'a short buffer for them',
        () => {
          vm.driver.queues[CONTROL_RX]!.add([{ address: vm.buffer(1), length: 7, writable: true }])
          vm.control(0, EVENT.DEVICE_READY, 1)
        },
      ],
      [
        'asking for ever without taking',
        () => {
          for (let i = 0; i < 70; i++) {
            vm.control(0, EVENT.DEVICE_READY, 1)
            vm.machine.loop.runOnce(0)
          }
        },
      ],
    ]
    for (const [what, act] of broken) {
      vm.driver.start(vm.driver.offered())
      act()
      vm.machine.until(what, () => (vm.driver.status & STATUS.DEVICE_NEEDS_RESET) !== 0)
    }
    vm.driver.start(vm.driver.offered())
    // Ports and events nobody knows are passed by.
    vm.control(77, EVENT.PORT_READY, 1)
    vm.control(0xffff_ffff, EVENT.PORT_OPEN, 1)
    vm.control(1, 4711, 1)
    vm.machine.until('all taken', () => vm.driver.queues[CONTROL_TX]!.usedIndex === 3)
    assert.equal(vm.driver.status & STATUS.DEVICE_NEEDS_RESET, 0)
    vm.close()
  })

  test('saved and restored, the guest hears that nobody is there any more', async () => {
    const vm = await setUp(['one'])
    vm.fillControl()
    vm.control(0, EVENT.DEVICE_READY, 1)
    vm.control(1, EVENT.PORT_OPEN, 1)
    vm.messages(1)
    vm.machine.until('it to be open', () => vm.driver.queues[CONTROL_TX]!.usedIndex === 2)
    const state = vm.device.save()
    assert.deepEqual(state, { ready: true, guestOpen: [true] })
    vm.device.restore(state)
    assert.equal(vm.messages(2).at(-1), '1 6 0')
    vm.close()
  })
})
