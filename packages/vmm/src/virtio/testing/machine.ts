/**
 * A machine without a processor for tests: real memory (a mapped memfd, so host addresses mean something), a
 * real epoll loop, and a platform that records what a device asks of KVM.
 */
import type { BusDevice, MutableBus } from '../../bus/device.ts'
import { EpollLoop } from '../../io/epoll-loop.ts'
import type { MsiVector, Platform } from '../../io/platform.ts'
import { GuestMemory } from '../../memory/guest-memory.ts'
import * as libc from '../../sys/libc.ts'

export class TestBus implements MutableBus {
  readonly ranges = new Map<number, { length: number; device: BusDevice }>()

  add(start: number, length: number, device: BusDevice): void {
    for (const [other, range] of this.ranges) {
      if (start < other + range.length && other < start + length) throw new RangeError('overlap')
    }
    this.ranges.set(start, { length, device })
  }

  remove(start: number): void {
    if (!this.ranges.delete(start)) throw new RangeError(`nothing at ${start}`)
  }

  private find(address: number): { device: BusDevice; offset: number } | undefined {
    for (const [start, { length, device }] of this.ranges) {
      if (address >= start && address < start + length) return { device, offset: address - start }
    }
    return undefined
  }

  read(address: number, size: number): number {
    const found = this.find(address)
    return found ? found.device.read(found.offset, size) : 2 ** (8 * size) - 1
  }

  write(address: number, size: number, value: number): void {
    const found = this.find(address)
    found?.device.write(found.offset, size, value)
  }
}

export class TestVector implements MsiVector {
  message: [number, number, number] | undefined
  fired = 0
  released = false
  route(low: number, high: number, data: number): void {
    this.message = [low, high, data]
  }
  fire(): void {
    this.fired++
  }
  release(): void {
    this.released = true
  }
}

/** One address may have several eventfds, told apart by what is written: a fraction keeps them apart here. */
export const notifyKey = (address: number, value?: number): number =>
  value === undefined ? address : address + (value + 1) / 1024

export class TestMachine {
  readonly memory: GuestMemory
  readonly loop = new EpollLoop()
  readonly mmio = new TestBus()
  readonly pio = new TestBus()
  readonly vectors: TestVector[] = []
  readonly levels = new Map<number, boolean>()
  /** address (see notifyKey) → fd, as KVM_IOEVENTFD would hold them. */
  readonly notifies = new Map<number, number>()
  readonly platform: Platform
  private readonly address: number
  private readonly size: number

  constructor(size = 16 * 1024 * 1024) {
    const fd = libc.check('memfd_create', libc.memfdCreate('test-ram', 1))
    libc.check('ftruncate', libc.ftruncate(fd, size))
    this.size = size
    this.address = libc.check(
      'mmap',
      libc.mmap(0, size, libc.PROT.READ | libc.PROT.WRITE, libc.MAP.SHARED, fd, 0),
    )
    libc.close(fd)
    // Two regions that touch, as RAM split at a view's limit: buffers may cross from one to the other.
    const half = size / 2
    this.memory = new GuestMemory([
      { guestAddress: 0, size: half, hostAddress: this.address },
      { guestAddress: half, size: half, hostAddress: this.address + half },
    ])
    this.platform = {
      mmio: this.mmio,
      pio: this.pio,
      loop: this.loop,
      interrupts: {
        allocateMsi: () => {
          const vector = new TestVector()
          this.vectors.push(vector)
          return vector
        },
        pin: (gsi) => ({ setLevel: (asserted) => void this.levels.set(gsi, asserted) }),
      },
      notifies: {
        add: (_space, where, _length, fd, value) => {
          const address = notifyKey(where, value)
          if (this.notifies.has(address)) throw new Error('EEXIST')
          this.notifies.set(address, fd)
        },
        remove: (_space, where, _length, fd, value) => {
          const address = notifyKey(where, value)
          if (this.notifies.get(address) !== fd) throw new Error('ENOENT')
          this.notifies.delete(address)
        },
      },
    }
  }

  /** The guest writes a queue's notify address: the eventfd, not the bus, hears it. */
  ring(address: number): void {
    const fd = this.notifies.get(address)
    if (fd === undefined) throw new Error(`no ioeventfd at ${address.toString(16)}`)
    const one = new BigUint64Array([1n])
    libc.check('write', libc.write(fd, one, 8))
  }

  /** Runs the loop until `done`; a hang ends in an error that says what was awaited. */
  until(what: string, done: () => boolean, limitMs = 20_000): void {
    const deadline = performance.now() + limitMs
    while (!done()) {
      if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms for: ${what}`)
      this.loop.runOnce(100)
    }
  }

  close(): void {
    this.loop.close()
    libc.munmap(this.address, this.size)
  }
}
