/** A card with two pairs of queues over a TAP with two, in a network namespace of its own. */
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
const FLOWS = 32
const cleanups: (() => void)[] = []
after(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

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
) {
  const counts = nets.map(() => 0)
  const missing = new Set(sockets.map((_, i) => `flow ${i}`))
  for (const [i, socket] of sockets.entries()) socket.send(`flow ${i}`, GUEST_PORT, GUEST.join('.'))
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

test('two pairs of queues: one until the driver asks for more, none of the packets lost, over a snapshot too', {
  skip,
}, async () => {
  ip('link', 'set', 'lo', 'up')
  ip('tuntap', 'add', 'hearth-mq', 'mode', 'tap', 'vnet_hdr', 'multi_queue')
  assert.throws(() => openTap('hearth-mq'), /no TAP interface|in use|cannot use/)
  const fds = openTapQueues('hearth-mq', 2)
  assert.equal(fds.length, 2)
  cleanups.push(() => fds.map((fd) => libc.close(fd)))
  ip('link', 'set', 'hearth-mq', 'up')
  ip('addr', 'add', `${HOST.join('.')}/24`, 'dev', 'hearth-mq')
  ip('neigh', 'add', GUEST.join('.'), 'lladdr', '02:00:00:00:00:42', 'dev', 'hearth-mq')
  const machine = new TestMachine()
  const card = () => {
    const backends = fds.map((fd) => new TapBackend(fd, { borrowed: true }))
    return new NetDevice(backends, { mac: MAC })
  }
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

  const sockets = await Promise.all(
    Array.from({ length: FLOWS }, async () => {
      const socket = dgram.createSocket('udp4')
      cleanups.push(() => socket.close())
      socket.bind(0, HOST.join('.'))
      await once(socket, 'listening')
      return socket
    }),
  )
  assert.deepEqual(await receiveAll(machine, nets, sockets), [FLOWS, 0])

  assert.equal(usePairs(driver, 3), 1, 'more than there are')
  assert.equal(usePairs(driver, 0), 1)
  assert.equal(usePairs(driver, 2, [4, 9]), 1, 'no such command')
  assert.equal(usePairs(driver, 2), 0)
  for (const net of nets) net.offer(32)
  const spread = await receiveAll(machine, nets, sockets)
  assert.ok(spread[0]! > 0 && spread[1]! > 0, `both have some: ${spread}`)

  const hostMac = JSON.parse(ip('-j', 'link', 'show', 'hearth-mq'))[0]
    .address.split(':')
    .map((octet: string) => Number.parseInt(octet, 16)) as number[]
  const arrived = once(sockets[0]!, 'message')
  nets[1]!.send(
    ethernet(
      hostMac,
      MAC,
      0x0800,
      udp({
        ...{ from: GUEST, fromPort: 9, to: HOST, toPort: sockets[0]!.address().port },
        payload: new TextEncoder().encode('from the second'),
      }),
    ),
  )
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
