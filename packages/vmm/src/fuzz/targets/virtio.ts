/** Every virtio device behind its PCI transport, under a driver that does what the input says over real memory. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { blockingDisk } from '../../disk/testing/blocking-disk.ts'
import { createSurfaceMemory, Surface } from '../../display/surface.ts'
import { PasstBackend } from '../../net/passt.ts'
import { PCI } from '../../pci/registers.ts'
import * as libc from '../../sys/libc.ts'
import { unixAddress } from '../../sys/unix-socket.ts'
import { BalloonDevice } from '../../virtio/balloon.ts'
import { BlockDevice } from '../../virtio/block.ts'
import { ConsoleDevice } from '../../virtio/console/console.ts'
import { PortSocket } from '../../virtio/console/port-socket.ts'
import type { VirtioDevice } from '../../virtio/device.ts'
import { GpuDevice } from '../../virtio/gpu/gpu.ts'
import { Keyboard } from '../../virtio/input/keyboard.ts'
import { Tablet } from '../../virtio/input/tablet.ts'
import { NetDevice } from '../../virtio/net.ts'
import { RngDevice } from '../../virtio/rng.ts'
import { OPERATION, REQUEST_BYTES, REQUEST_HEADER_BYTES } from '../../virtio/scsi/protocol.ts'
import { ScsiDevice } from '../../virtio/scsi/scsi.ts'
import type { TestDescriptor, TestQueue } from '../../virtio/testing/driver.ts'
import { TestMachine } from '../../virtio/testing/machine.ts'
import { COMMON, PciDriver } from '../../virtio/testing/pci-driver.ts'
import { VsockDevice } from '../../virtio/vsock/vsock.ts'
import { ByteSource, EDGES } from '../byte-source.ts'
import type { FuzzTarget } from '../target.ts'
import { fileSystem } from './virtio-fs.ts'
import { type Made, type Recipe, words } from './virtio-recipe.ts'

const HEADER = 0x10_0000
const DATA = 0x18_0000
const MAX_STEPS = 64

function target({ name, about, make, request }: Recipe): FuzzTarget {
  let built: { machine: TestMachine; driver: PciDriver; made: Made } | undefined
  const machineOf = (): NonNullable<typeof built> => {
    if (built) return built
    const machine = new TestMachine(4 << 20)
    const made = make()
    built = { machine, made, driver: new PciDriver(machine, made.device) }
    return built
  }
  return {
    name,
    about,
    runsInTest: 300,
    run(input) {
      const { machine, driver } = machineOf()
      const source = new ByteSource(input)
      machine.memory.fill(0x10_000, 0x10_000, 0)
      driver.negotiate(driver.offered() & ~(BigInt(source.u32()) & BigInt(source.below(2) * 0xffff_ffff)))
      if (source.below(2) === 0) driver.enableMsix()
      driver.setUpQueues(2 << source.below(4))
      driver.status |= 4
      for (let step = 0; step < MAX_STEPS && !source.done; step++) {
        stepOf(driver, source, request)
        machine.loop.runOnce(0)
      }
      // Whatever the driver did: after a reset of the machine an honest one is served.
      driver.bus.reset()
      driver.messages.length = 0
      driver.start(driver.offered())
      if (driver.status !== 15) throw new Error(`an honest driver is not served: status ${driver.status}`)
      driver.bus.reset()
    },
    close() {
      if (!built) return
      const { machine, driver, made } = built
      built = undefined
      driver.bus.close()
      made.release?.()
      const left = machine.mmio.ranges.size + machine.notifies.size
      machine.close()
      if (left > 0) throw new Error(`${left} registrations are left behind`)
    },
  }
}

export function stepOf(driver: PciDriver, source: ByteSource, request: Recipe['request']): void {
  const { machine, queues } = driver
  const value = (): number => (source.below(2) === 0 ? source.pick(EDGES) : source.u32())
  switch (source.below(9)) {
    case 0: {
      // Any register at any width.
      const at = driver.pciRead(PCI.BAR0 + 16, 4) + source.below(0x4000)
      const size = 1 << source.below(3)
      machine.mmio.write(at, size, value())
      machine.mmio.read(at, size)
      break
    }
    case 1:
      driver.bus.ecam.write((2 << 15) + source.below(256), 1 << source.below(3), value())
      break
    case 2:
      driver.setCommon(COMMON.QUEUE_SELECT, 2, source.below(4))
      driver.setCommon(COMMON.QUEUE_DESC + 4 * source.below(6), 4, value())
      driver.setCommon(COMMON.QUEUE_ENABLE, 2, 1)
      break
    case 3:
      driver.status = source.u8()
      break
    case 4: {
      // The MSI-X table.
      const table = driver.pciRead(PCI.BAR0 + 4, 4)
      machine.mmio.write(table + source.below(4096), 4, value())
      break
    }
    default: {
      const queue = queues[source.below(queues.length)]
      if (queue === undefined) break
      if (source.oneIn(4)) wildTable(queue, source)
      else chain(queue, machine, source, request(source))
      const addresses = [...machine.notifies.keys()]
      if (addresses.length > 0) machine.ring(source.pick(addresses))
    }
  }
}

function chain(queue: TestQueue, machine: TestMachine, source: ByteSource, request: Uint8Array): void {
  machine.memory.write(HEADER, request)
  const length = (): number => source.pick([1, 2, 16, 24, 512, 1024, 4096, 70_000])
  const parts: TestDescriptor[] = [{ address: HEADER, length: Math.max(1, request.length) }]
  if (source.below(2) === 0) parts.push({ address: HEADER + source.u16(), length: length() })
  if (source.below(2) === 0) parts.push({ address: DATA + source.u16(), length: length(), writable: true })
  parts.push({ address: DATA, length: 1 + source.below(64), writable: true })
  const first = source.oneIn(12) ? 1 : 0
  queue.add(parts.slice(first, first + queue.size))
}

function wildTable(queue: TestQueue, source: ByteSource): void {
  for (let i = 0; i < queue.size; i++) {
    const address = source.oneIn(8) ? source.u32() : DATA + source.u16()
    const length = source.oneIn(8) ? source.pick(EDGES) : source.pick([1, 16, 512, 4096])
    queue.put(i, address, length, source.below(8), source.below(queue.size + 1))
  }
  for (let i = source.below(queue.size + 1); i > 0; i--) queue.offer(source.below(queue.size))
  if (source.oneIn(20)) queue.setAvailableIndex(source.u16())
}

const block: Recipe = {
  name: 'virtio-block',
  about: 'a disk: requests, ranges, lengths',
  make() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-fuzz-'))
    const file = path.join(folder, 'disk')
    fs.writeFileSync(file, new Uint8Array(256 * 1024).fill(7))
    const backend = blockingDisk(file, { readOnly: false })
    return {
      device: new BlockDevice(backend, { readOnly: false, serial: 'fuzz', queues: 2 }),
      release: () => fs.rmSync(folder, { recursive: true }),
    }
  },
  request: (source) => {
    const sector = source.oneIn(8) ? source.u32() : source.below(600)
    const high = source.oneIn(8) ? source.pick(EDGES) : 0
    const type = source.pick([0, 1, 4, 8, 11, 13, source.u8()])
    return words([type, 0, sector, high], source, source.pick([0, 16, 32, 7]))
  },
}

const cdrom: Recipe = {
  name: 'virtio-scsi',
  about: 'a CD-ROM drive: commands, units, lengths',
  make() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-fuzz-'))
    const file = path.join(folder, 'disc')
    fs.writeFileSync(file, new Uint8Array(256 * 1024).fill(7))
    return {
      device: new ScsiDevice([blockingDisk(file, { readOnly: true })]),
      release: () => fs.rmSync(folder, { recursive: true }),
    }
  },
  request: (source) => {
    const request = new Uint8Array(REQUEST_BYTES)
    request.set(source.oneIn(6) ? source.take(8) : [1, 0, 0x40, 0])
    const known = Object.values(OPERATION)
    request.set(
      [source.oneIn(6) ? source.u8() : source.pick(known), ...source.take(11)],
      REQUEST_HEADER_BYTES,
    )
    return source.oneIn(8) ? request.subarray(0, source.below(REQUEST_BYTES)) : request
  },
}

const net: Recipe = {
  name: 'virtio-net',
  about: 'a network card whose other end is deaf',
  make() {
    const pair = new Int32Array(2)
    libc.check('socketpair', libc.socketpair(1, 1 | 0o4000, 0, pair))
    return {
      device: new NetDevice([new PasstBackend(pair[0]!)], { mac: [2, 0, 0, 0, 0, 1] }),
      release: () => void libc.close(pair[1]!),
    }
  },
  request: (source) => words([source.u32(), source.u32(), source.u32()], source, source.below(64)),
}

const netQueues: Recipe = {
  name: 'virtio-net-queues',
  about: 'a network card with two pairs of queues and a control queue',
  make() {
    const peers = [0, 1].map(() => {
      const pair = new Int32Array(2)
      libc.check('socketpair', libc.socketpair(1, 1 | 0o4000, 0, pair))
      return pair
    })
    return {
      device: new NetDevice(
        peers.map((pair) => new PasstBackend(pair[0]!)),
        { mac: [2, 0, 0, 0, 0, 1] },
      ),
      release: () => {
        for (const pair of peers) libc.close(pair[1]!)
      },
    }
  },
  request: (source) => {
    if (source.oneIn(2)) return words([source.u32(), source.u32(), source.u32()], source, source.below(64))
    return Uint8Array.from([source.pick([4, source.u8()]), source.pick([0, source.u8()]), source.below(4), 0])
  },
}

const balloon: Recipe = {
  name: 'virtio-balloon',
  about: 'a memory balloon: page numbers, reports, statistics',
  make: () => ({ device: new BalloonDevice() }),
  request: (source) =>
    source.below(2) === 0
      ? words(
          Array.from({ length: source.below(40) }, () =>
            source.oneIn(10) ? source.u32() : source.below(1100),
          ),
          source,
          source.pick([0, 0, 0, 3]),
        )
      : source.take(source.below(100)),
}

const consolePorts: Recipe = {
  name: 'virtio-console',
  about: "named ports: control messages and data, with nobody at the host's end",
  make() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-fuzz-'))
    const address = unixAddress(path.join(folder, 'port'))
    const listenFd = libc.check('socket', libc.socket(1, 1 | 0o4000, 0))
    libc.check('bind', libc.bind(listenFd, address, address.length))
    libc.check('listen', libc.listen(listenFd, 1))
    return {
      device: new ConsoleDevice([{ name: 'fuzz', end: new PortSocket(listenFd) }]),
      release() {
        libc.close(listenFd)
        fs.rmSync(folder, { recursive: true })
      },
    }
  },
  request: (source) =>
    words([source.below(4), (source.below(2) << 16) | source.below(9)], source, source.pick([0, 0, 8])),
}

/** Where the host's programs for the guest listen: they take what comes and hang up now and then. */
let vsockPort: number | undefined
const vsock: Recipe = {
  name: 'virtio-vsock',
  about: 'sockets: packets of any kind for connections that are there or not, and credit that lies',
  make() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-fuzz-'))
    const listen = (name: string): number => {
      const address = unixAddress(path.join(folder, name))
      const fd = libc.check('socket', libc.socket(1, 1 | 0o4000, 0))
      libc.check('bind', libc.bind(fd, address, address.length))
      libc.check('listen', libc.listen(fd, 64))
      return fd
    }
    const listenFd = listen('vsock')
    const portFd = listen('vsock_1')
    vsockPort = portFd
    return {
      device: new VsockDevice({ cid: 3, listenFd, path: path.join(folder, 'vsock') }),
      release() {
        vsockPort = undefined
        libc.close(listenFd)
        libc.close(portFd)
        fs.rmSync(folder, { recursive: true })
      },
    }
  },
  request: (source) => {
    if (source.oneIn(4) && vsockPort !== undefined) {
      const fd = libc.accept4(vsockPort, null, null, 0o4000)
      if (fd >= 0) {
        if (source.oneIn(2)) libc.write(fd, new Uint8Array(100), 100)
        libc.close(fd)
      }
    }
    const cid = (own: number): number => (source.oneIn(10) ? source.u32() : own)
    const op = source.oneIn(10) ? source.u16() : 1 + source.below(7)
    const type = source.oneIn(10) ? 2 : 1
    const length = source.oneIn(6) ? source.pick(EDGES) : source.below(64)
    const addresses = [cid(3), 0, cid(2), 0, source.below(4), source.below(3)]
    const credit = [source.pick(EDGES), source.oneIn(3) ? source.u32() : 0]
    return words([...addresses, length, type | (op << 16), source.below(4), ...credit], source, length & 63)
  },
}

const gpu: Recipe = {
  name: 'virtio-gpu',
  about: 'a screen: resources, backing pages, scanouts, cursors',
  make: () => ({
    device: new GpuDevice({
      surface: new Surface(createSurfaceMemory()),
      screens: 2,
      width: 640,
      height: 480,
      memoryLimit: 8 << 20,
    }),
  }),
  request: (source) => {
    const size = (): number => (source.oneIn(6) ? source.pick(EDGES) : source.below(64))
    const type = source.pick([
      0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x106, 0x107, 0x108, 0x10a, 0x10b, 0x10c, 0x10d, 0x300, 0x301,
    ])
    const header = [type, source.below(2), source.u32(), 0, 0, 0]
    // Most fields are small numbers: resources, rectangles, counts.
    const body = Array.from({ length: 14 }, () => (source.oneIn(5) ? DATA + source.u16() : size()))
    return words([...header, ...body], source, source.pick([0, 16, 256]))
  },
}

const plain = (name: string, about: string, make: () => VirtioDevice): Recipe => ({
  name,
  about,
  make: () => ({ device: make() }),
  request: (source) => source.take(source.below(32)),
})

/** Every virtio device. */
export const virtioRecipes: readonly Recipe[] = [
  block,
  cdrom,
  net,
  netQueues,
  balloon,
  consolePorts,
  vsock,
  fileSystem,
  gpu,
  plain('virtio-rng', 'random numbers', () => new RngDevice()),
  plain('virtio-keyboard', 'a keyboard', () => new Keyboard('us', () => {}).device),
  plain('virtio-tablet', 'a pointer', () => new Tablet().device),
]

export const virtioTargets: readonly FuzzTarget[] = virtioRecipes.map(target)
