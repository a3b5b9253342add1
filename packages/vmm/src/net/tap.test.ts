import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import fs from 'node:fs'
import { after, test } from 'node:test'
import koffi from 'koffi'
import * as libc from '../sys/libc.ts'
import { NetDevice } from '../virtio/net.ts'
import { NET_F } from '../virtio/net-config.ts'
import { TestMachine } from '../virtio/testing/machine.ts'
import { PciDriver } from '../virtio/testing/pci-driver.ts'
import { openTap, TapBackend } from './tap.ts'
import { NetDriver } from './testing/net-driver.ts'
import { ethernet, udp, udpPayload } from './testing/packets.ts'

/** unshare(2): a network namespace of this process's own, gone with it. */
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
const MAC = [0x02, 0, 0, 0, 0, 0x42]
const GUEST_PORT = 4242
const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' })

let next = 0
const cleanups: (() => void)[] = []
after(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

/** A card on a TAP of its own, with an address on the host's side and the guest's MAC known to it. */
function setUp(features?: bigint, bufferBytes = 2048, mtu = 1500) {
  const name = `hearth-t${next++}`
  const host = [10, 99, next, 1]
  const guest = [10, 99, next, 2]
  const fd = openTap(name, { create: true })
  ip('link', 'set', name, 'mtu', String(mtu), 'up')
  ip('addr', 'add', `${host.join('.')}/24`, 'dev', name)
  ip('neigh', 'add', guest.join('.'), 'lladdr', '02:00:00:00:00:42', 'dev', name)
  const hostMac = JSON.parse(ip('-j', 'link', 'show', name))[0]
    .address.split(':')
    .map((octet: string) => Number.parseInt(octet, 16)) as number[]
  const machine = new TestMachine()
  const log: string[] = []
  const device = new NetDevice([new TapBackend(fd)], { mac: MAC, log: (line) => log.push(line) })
  const driver = new PciDriver(machine, device)
  driver.start(features ?? driver.offered())
  cleanups.push(() => {
    driver.bus.close()
    machine.close()
  })
  return { name, host, guest, hostMac, machine, device, driver, log, net: new NetDriver(driver, bufferBytes) }
}

async function hostSocket(address: readonly number[]) {
  const socket = dgram.createSocket('udp4')
  cleanups.push(() => socket.close())
  socket.bind(0, address.join('.'))
  await once(socket, 'listening')
  return socket
}

test('the namespace has its loopback', { skip }, () => {
  ip('link', 'set', 'lo', 'up')
})

test('the card says its address and that the link is up', { skip }, () => {
  const { driver, device } = setUp()
  assert.deepEqual(
    MAC.map((_, i) => driver.configRead(i, 1)),
    MAC,
  )
  assert.equal(driver.configRead(6, 2), 1)
  assert.equal(driver.pciRead(0, 4), 0x1041_1af4)
  assert.equal(driver.pciRead(0x0b, 1), 2, 'network controller')
  assert.equal(device.acceptsFeatures(NET_F.GUEST_TSO4), false)
  assert.equal(device.acceptsFeatures(NET_F.HOST_ECN | NET_F.CSUM), false)
  assert.equal(device.acceptsFeatures(NET_F.GUEST_TSO4 | NET_F.GUEST_CSUM), true)
})

test('packets from the host reach the guest, those of the guest reach the host', { skip }, async () => {
  const { host, guest, hostMac, machine, net, device } = setUp()
  const socket = await hostSocket(host)
  net.offer(64)
  socket.send('from the host', GUEST_PORT, guest.join('.'))
  let payload: Uint8Array | undefined
  while (payload === undefined) {
    await new Promise(setImmediate)
    machine.loop.runOnce(10)
    for (const frame of net.received()) payload ??= udpPayload(frame, GUEST_PORT)
  }
  assert.equal(new TextDecoder().decode(payload), 'from the host')

  const arrived = once(socket, 'message')
  const { port } = socket.address()
  const text = new TextEncoder().encode('from the guest')
  net.send(
    ethernet(hostMac, MAC, 0x0800, udp({ from: guest, fromPort: 9, to: host, toPort: port, payload: text })),
  )
  machine.until('the packet to go', () => device.counters.txPackets === 1)
  const [message] = await arrived
  assert.equal(message.toString(), 'from the guest')
})

test('a checksum the guest left undone is finished, and the header really reaches the kernel', {
  skip,
}, async () => {
  const { host, guest, hostMac, machine, net, device } = setUp()
  const socket = await hostSocket(host)
  const { port } = socket.address()
  const packet = (payload: string, partial: boolean) =>
    ethernet(
      hostMac,
      MAC,
      0x0800,
      udp(
        { from: guest, fromPort: 9, to: host, toPort: port, payload: new TextEncoder().encode(payload) },
        partial,
      ),
    )
  const messages: string[] = []
  socket.on('message', (message) => messages.push(message.toString()))
  // Without the flag the half-done checksum is simply wrong: the host must drop it.
  net.send(packet('lost', true))
  // NEEDS_CSUM from byte 34 (the UDP header) on, to be stored 6 bytes into it.
  net.send(packet('finished', true), [1, 0, 0, 0, 0, 0, 34, 0, 6, 0])
  machine.until('both packets to go', () => device.counters.txPackets === 2)
  while (messages.length === 0) await new Promise(setImmediate)
  assert.deepEqual(messages, ['finished'])
  // A header that contradicts itself is refused by the kernel: that packet is lost, the card works on.
  net.send(packet('never', true), [1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])
  net.send(packet('after', false))
  machine.until('the refused packet to be counted', () => device.counters.txDropped === 1)
  machine.until('the next to go', () => device.counters.txPackets === 3)
})

test('a packet longer than one buffer is spread over several, counted in num_buffers', { skip }, async () => {
  for (const features of [NET_F.MRG_RXBUF, undefined]) {
    const { host, guest, machine, net } = setUp(features, 1530, 9000)
    const socket = await hostSocket(host)
    net.offer(64)
    const sent = new Uint8Array(8000).map((_, i) => i * 13)
    socket.send(sent, GUEST_PORT, guest.join('.'))
    let payload: Uint8Array | undefined
    while (payload === undefined) {
      await new Promise(setImmediate)
      machine.loop.runOnce(10)
      for (const frame of net.received()) payload ??= udpPayload(frame, GUEST_PORT)
    }
    assert.deepEqual(payload, sent)
    // The kernel's own IPv6 packets may come in between; they are small.
    assert.equal(Math.max(...net.bufferCounts), Math.ceil((8000 + 14 + 28 + 12) / 1530))
  }
})

test('without mergeable buffers a packet that does not fit is lost alone', { skip }, async () => {
  const { host, guest, machine, net, device } = setUp(0n, 1530, 9000)
  const socket = await hostSocket(host)
  net.offer(64)
  socket.send(new Uint8Array(4000), GUEST_PORT, guest.join('.'))
  socket.send('fits', GUEST_PORT, guest.join('.'))
  let payload: Uint8Array | undefined
  while (payload === undefined) {
    await new Promise(setImmediate)
    machine.loop.runOnce(10)
    for (const frame of net.received()) payload ??= udpPayload(frame, GUEST_PORT)
  }
  assert.equal(new TextDecoder().decode(payload), 'fits')
  assert.equal(device.counters.rxDropped, 1)
  assert.ok(net.bufferCounts.every((count) => count === 1))
})

test('while the guest offers no buffers packets wait outside, and come when it rings', { skip }, async () => {
  const { host, guest, machine, net, device } = setUp(NET_F.MRG_RXBUF)
  const socket = await hostSocket(host)
  for (let i = 0; i < 20; i++) socket.send(`packet ${i}`, GUEST_PORT, guest.join('.'))
  await new Promise((resolve) => socket.send('last', GUEST_PORT, guest.join('.'), resolve))
  for (let i = 0; i < 5; i++) machine.loop.runOnce(5)
  assert.equal(device.counters.rxPackets, 0)
  const texts: string[] = []
  // A few at a time: fewer than packets, so the ring runs dry again and again.
  while (texts.length < 21) {
    net.offer(3)
    machine.loop.runOnce(10)
    for (const frame of net.received()) {
      const payload = udpPayload(frame, GUEST_PORT)
      if (payload) texts.push(new TextDecoder().decode(payload))
    }
  }
  assert.deepEqual(texts, [...Array.from({ length: 20 }, (_, i) => `packet ${i}`), 'last'])
  assert.equal(device.counters.rxDropped, 0)
})

test('a driver that takes large packets but offers little room still gets small ones', { skip }, async () => {
  const { host, guest, machine, net, driver } = setUp(undefined, 2048)
  assert.notEqual(driver.fn.transport.offeredFeatures & NET_F.GUEST_TSO4, 0n)
  const socket = await hostSocket(host)
  net.offer(4)
  socket.send('small', GUEST_PORT, guest.join('.'))
  let payload: Uint8Array | undefined
  while (payload === undefined) {
    await new Promise(setImmediate)
    machine.loop.runOnce(10)
    for (const frame of net.received()) {
      payload ??= udpPayload(frame, GUEST_PORT)
      net.offer(1)
    }
  }
  assert.equal(new TextDecoder().decode(payload), 'small')
})

test('malformed transmit chains are dropped or fail the card, never more', { skip }, () => {
  const { machine, driver, device, net } = setUp()
  const queue = driver.queues[1]!
  queue.add([{ address: driver.data, length: 12 }])
  queue.add([{ address: driver.data, length: 5 }])
  queue.add([{ address: driver.data, length: 0x20_000 }])
  driver.kick(1)
  machine.until('three drops', () => device.counters.txDropped === 3)
  assert.equal(queue.usedIndex, 3)
  driver.queues[0]!.add([{ address: driver.data, length: 11, writable: true }])
  driver.kick(0)
  machine.until('NEEDS_RESET', () => (driver.status & 0x40) !== 0)
  driver.start(driver.offered())
  net.offer(1)
  machine.loop.runOnce(10)
  assert.equal(driver.status & 0x40, 0)
})

test('an interface that is deleted cuts the link, tells the guest, and burns no time', { skip }, () => {
  const { name, machine, driver, device, log, net } = setUp()
  net.offer(64)
  machine.loop.runOnce(10)
  ip('link', 'del', name)
  machine.until('the link to go down', () => driver.configRead(6, 2) === 0)
  assert.equal(machine.vectors[0]!.fired, 1)
  assert.equal(log.length, 1)
  net.send(new Uint8Array(64))
  machine.until('the packet to be dropped', () => device.counters.txDropped === 1)
  assert.equal(driver.queues[1]!.usedIndex, 1)
  // Nothing is watched any more: a wait ends by its own limit.
  let turns = 0
  const before = performance.now()
  while (performance.now() - before < 50) {
    machine.loop.runOnce(50)
    turns++
  }
  assert.ok(turns < 10, `${turns} turns`)
})

test('a reset in the middle of traffic, then a second life', { skip }, async () => {
  const { host, guest, machine, net, driver } = setUp()
  const socket = await hostSocket(host)
  net.offer(64)
  socket.send('one', GUEST_PORT, guest.join('.'))
  await new Promise(setImmediate)
  driver.status = 0
  machine.memory.fill(0x20_0000, 0x10_0000, 0xee)
  socket.send('two', GUEST_PORT, guest.join('.'))
  await new Promise(setImmediate)
  machine.loop.runOnce(20)
  assert.ok(machine.memory.bytes(0x20_0000, 0x10_0000).every((byte) => byte === 0xee))
  driver.start(driver.offered())
  const again = new NetDriver(driver, 2048)
  again.offer(64)
  const texts: string[] = []
  while (!texts.includes('three')) {
    socket.send('three', GUEST_PORT, guest.join('.'))
    await new Promise(setImmediate)
    machine.loop.runOnce(10)
    for (const frame of again.received()) {
      const payload = udpPayload(frame, GUEST_PORT)
      if (payload) texts.push(new TextDecoder().decode(payload))
    }
  }
  assert.ok(texts.includes('two'), 'what came while nobody was there waited in the interface')
})

test('names that cannot be used are refused in a sentence', { skip }, () => {
  assert.throws(() => openTap('no-such-tap'), /there is no network interface no-such-tap/)
  assert.throws(() => openTap('../etc'), /not the name/)
  assert.throws(() => openTap('a-name-far-too-long-for-it'), /not the name/)
  assert.throws(() => openTap('lo'), /no TAP interface/)
  ip('tuntap', 'add', 'hearth-kept', 'mode', 'tap')
  libc.close(openTap('hearth-kept'))
  assert.match(ip('link', 'show', 'hearth-kept'), /hearth-kept/, 'an interface made by somebody else stays')
  const fd = openTap('hearth-busy', { create: true })
  assert.throws(() => openTap('hearth-busy'), /in use by another machine/)
  libc.close(fd)
})
