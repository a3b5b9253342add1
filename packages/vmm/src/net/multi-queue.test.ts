/** A card with two pairs of queues over a TAP with two, in a network namespace of its own. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import fs from 'node:fs'
import { afterEach, test } from 'node:test'
import koffi from 'koffi'
import * as libc from '../sys/libc.ts'
import { NetDevice } from '../virtio/net.ts'
import { NET_F } from '../virtio/net-config.ts'
import { TestMachine } from '../virtio/testing/machine.ts'
import { PciDriver } from '../virtio/testing/pci-driver.ts'
import { openTap, openTapQueues, TapBackend } from './tap.ts'
import { NetDriver } from './testing/net-driver.ts'
import { ethernet, udp, udpPayload } from './testing/packets.ts'

const CLONE_NEWNET = 0x4000_0000
const unshare = koffi.load(null).func('int unshare(int flags)') as (flags: number) => number
const skip =
  process.getuid?.() !== 0
    ? 'needs root: makes a network namespace and a TAP interface'
    : !fs.existsSync('/dev/net/tun')
      ? 'needs /dev/net/tun'
      : unshare(CLONE_NEWNET) < 0
        ? 'this machine does not allow network namespaces'
        : false

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' })
const MAC = [0x02, 0, 0, 0, 0, 0x42]
const HOST = [10, 98, 1, 1]
const GUEST = [10, 98, 1, 2]
const GUEST_PORT = 4242
const CONTROL = 4
const COMMAND = 0x1_0000 * 0xf
/** Where both drivers have their buffers, see NetDriver. */
const BUFFERS = { start: 0x20_0000, end: 0x100_0000 }
const FLOWS = 32
const cleanups: (() => void)[] = []
/** VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET; returns the answer. */
function usePairs(driver: PciDriver, pairs: number, command: readonly number[] = [4, 0]): number {
  const { memory } = driver.machine
  const queue = driver.queues[CONTROL]!
  memory.write(COMMAND, Uint8Array.from([...command, pairs & 0xff, pairs >> 8, 0xaa]))
  queue.add([
    { address: COMMAND, length: 2 },
    { address: COMMAND + 2, length: 2 },
    { address: COMMAND + 4, length: 1, writable: true },
  ])
  const wanted = queue.usedIndex + 1
  driver.kick(CONTROL)
  driver.machine.until('the answer', () => queue.usedIndex === wanted)
  return memory.readU8(COMMAND + 4)
}

/** Sends one packet in each of many flows, and waits until both pairs together have them all. */
async function receiveAll(
  machine: TestMachine,
  nets: readonly NetDriver[],
  sockets: readonly dgram.Socket[],
  name = 'flow',
) {
  const counts = nets.map(() => 0)
  const missing = new Set(sockets.map((_, i) => `${name} ${i}`))
  for (const [i, socket] of sockets.entries()) socket.send(`${name} ${i}`, GUEST_PORT, GUEST.join('.'))
  const deadline = Date.now() + 20_000
  while (missing.size > 0) {
    assert.ok(Date.now() < deadline, `missing: ${[...missing]}`)
    await new Promise(setImmediate)
    machine.loop.runOnce(5)
    for (const [i, net] of nets.entries()) {
      for (const frame of net.received()) {
        const payload = udpPayload(frame, GUEST_PORT)
        if (payload && missing.delete(new TextDecoder().decode(payload))) counts[i]!++
      }
    }
  }
  return counts
}

/** A TAP with two queues that leads to GUEST, and sockets to send from. */
async function openNetwork(
  name: string,
): Promise<{ fds: readonly number[]; sockets: readonly dgram.Socket[] }> {
  ip('link', 'set', 'lo', 'up')
  ip('tuntap', 'add', name, 'mode', 'tap', 'vnet_hdr', 'multi_queue')
  cleanups.push(() => ip('link', 'delete', 'dev', name))
  assert.throws(() => openTap(name), /no TAP interface|in use|cannot use/)
  const fds = openTapQueues(name, 2)
  assert.equal(fds.length, 2)
  cleanups.push(() => fds.map((fd) => libc.close(fd)))
  ip('link', 'set', name, 'up')
  ip('addr', 'add', `${HOST.join('.')}/24`, 'dev', name)
  ip('neigh', 'add', GUEST.join('.'), 'lladdr', '02:00:00:00:00:42', 'dev', name)
  const sockets = await Promise.all(
    Array.from({ length: FLOWS }, async () => {
      const socket = dgram.createSocket('udp4')
      cleanups.push(() => socket.close())
      socket.bind(0, HOST.join('.'))
      await once(socket, 'listening')
      return socket
    }),
  )
  return { fds, sockets }
}

const cardOver = (fds: readonly number[]): NetDevice =>
  new NetDevice(
    fds.map((fd) => new TapBackend(fd, { borrowed: true })),
    { mac: MAC },
  )

/** A frame of the guest's to a socket of the host's, or, without one, to nobody. */
function frameTo(name: string, socket: dgram.Socket | undefined, text: string): Uint8Array {
  const hostMac = JSON.parse(ip('-j', 'link', 'show', name))[0]
    .address.split(':')
    .map((octet: string) => Number.parseInt(octet, 16)) as number[]
  const port = socket?.address().port ?? 9
  const payload = new TextEncoder().encode(text)
  return ethernet(hostMac, MAC, 0x0800, udp({ from: GUEST, fromPort: 9, to: HOST, toPort: port, payload }))
}

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

test('two pairs of queues: one until the driver asks for more, none of the packets lost, over a snapshot too', {
  skip,
}, async () => {
  const { fds, sockets } = await openNetwork('hearth-mq')
  const machine = new TestMachine()
  const card = () => cardOver(fds)
  let device = card()
  let driver = new PciDriver(machine, device)
  cleanups.push(() => {
    driver.bus.close()
    machine.close()
  })
  assert.equal(driver.offered() & (NET_F.MQ | NET_F.CTRL_VQ), NET_F.MQ | NET_F.CTRL_VQ)
  assert.equal(device.acceptsFeatures(NET_F.MQ), false)
  driver.start(driver.offered())
  assert.equal(driver.configRead(8, 2), 2, 'max_virtqueue_pairs')
  let nets = [0, 1].map((pair) => new NetDriver(driver, 2048, pair))
  for (const net of nets) net.offer(64)

  assert.deepEqual(await receiveAll(machine, nets, sockets), [FLOWS, 0])

  assert.equal(usePairs(driver, 3), 1, 'more than there are')
  assert.equal(usePairs(driver, 0), 1)
  assert.equal(usePairs(driver, 2, [4, 9]), 1, 'no such command')
  assert.equal(usePairs(driver, 2), 0)
  for (const net of nets) net.offer(32)
  const spread = await receiveAll(machine, nets, sockets)
  assert.ok(spread[0]! > 0 && spread[1]! > 0, `both have some: ${spread}`)

  const arrived = once(sockets[0]!, 'message')
  nets[1]!.send(frameTo('hearth-mq', sockets[0], 'from the second'))
  machine.until('the packet to go', () => device.counters.txPackets === 1)
  assert.equal((await arrived)[0].toString(), 'from the second')

  device = card()
  driver = driver.moveTo(device)
  nets = nets.map((net) => net.moved(driver))
  for (const net of nets) net.offer(32)
  const afterwards = await receiveAll(machine, nets, sockets)
  assert.ok(afterwards[0]! > 0 && afterwards[1]! > 0, `both have some: ${afterwards}`)

  assert.equal(usePairs(driver, 1), 0)
  for (const net of nets) net.offer(32)
  assert.deepEqual(await receiveAll(machine, nets, sockets), [FLOWS, 0])

  driver.start(driver.offered() & ~NET_F.MQ)
  nets = [new NetDriver(driver, 2048)]
  nets[0]!.offer(64)
  assert.deepEqual(await receiveAll(machine, nets, sockets), [FLOWS], 'a driver that knows of one pair')
})

test('a reset with both pairs in full flight: nothing of the guest is touched after it, and both work again', {
  skip,
}, async () => {
  const { fds, sockets } = await openNetwork('hearth-mr')
  const machine = new TestMachine()
  const device = cardOver(fds)
  const driver = new PciDriver(machine, device)
  cleanups.push(() => {
    driver.bus.close()
    machine.close()
  })
  const frame = frameTo('hearth-mr', undefined, 'x'.repeat(1000))
  for (let life = 0; life < 12; life++) {
    driver.start(driver.offered())
    const nets = [0, 1].map((pair) => new NetDriver(driver, 2048, pair))
    for (const net of nets) net.offer(64)
    assert.equal(usePairs(driver, 2), 0)
    for (const net of nets) net.offer(32)
    const counts = await receiveAll(machine, nets, sockets, `life ${life}`)
    assert.ok(counts[0]! > 0 && counts[1]! > 0, `life ${life}: both have some: ${counts}`)

    // Packets both ways, kicks on their way, and of each life another part of it already done.
    for (const socket of sockets) socket.send(new Uint8Array(1000), GUEST_PORT, GUEST.join('.'))
    await new Promise(setImmediate)
    for (const net of nets) for (let i = 0; i < 40; i++) net.queue(frame)
    for (const queue of driver.queues.keys()) driver.kick(queue)
    for (let turn = 0; turn < life % 4; turn++) machine.loop.runOnce(0)
    for (const queue of driver.queues.keys()) driver.kick(queue)
    driver.status = 0

    const fired = machine.vectors.map((vector) => vector.fired)
    machine.memory.fill(0x1_0000, BUFFERS.end - 0x1_0000, 0xee)
    for (const socket of sockets) socket.send(new Uint8Array(1000), GUEST_PORT, GUEST.join('.'))
    await new Promise(setImmediate)
    for (let turn = 0; turn < 4; turn++) machine.loop.runOnce(1)
    const memory = machine.memory.bytes(0x1_0000, BUFFERS.start - 0x1_0000)
    assert.ok(
      memory.every((byte) => byte === 0xee),
      `life ${life}: a ring was written after the reset`,
    )
    for (let at = BUFFERS.start; at < BUFFERS.end; at += 2 ** 20) {
      const part = machine.memory.bytes(at, Math.min(2 ** 20, BUFFERS.end - at))
      assert.ok(
        part.every((byte) => byte === 0xee),
        `life ${life}: memory at ${at.toString(16)} was written`,
      )
    }
    assert.deepEqual(
      machine.vectors.map((vector) => vector.fired),
      fired,
      `life ${life}: an interrupt after the reset`,
    )
    assert.deepEqual(driver.messages, [])
  }
})
