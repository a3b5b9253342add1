/**
 * Carries one bus access from a vCPU thread to the I/O thread, which owns the devices, and its answer back. A
 * slot per vCPU in shared memory; an eventfd wakes the I/O thread out of epoll_wait, the vCPU sleeps in
 * Atomics.wait. Allocates nothing.
 */
import { write } from '../sys/libc.ts'
import { MAIL, STRIDE } from '../vcpu/control.ts'

const STATUS = MAIL
const KIND = MAIL + 1
const ADDRESS_LOW = MAIL + 2
const ADDRESS_HIGH = MAIL + 3
const SIZE = MAIL + 4
const VALUE = MAIL + 5

const IDLE = 0
const POSTED = 1
const ANSWERED = 2

const KIND_MMIO = 1
const KIND_WRITE = 2

const ONE = new BigUint64Array([1n])

export class MailboxClient {
  private readonly words: Int32Array
  private readonly base: number
  private readonly wakeFd: number

  constructor(control: SharedArrayBuffer, cpu: number, wakeFd: number) {
    this.words = new Int32Array(control)
    this.base = cpu * STRIDE
    this.wakeFd = wakeFd
  }

  /** `size` 1, 2 or 4. Returns the value read, unsigned; after a write 0. */
  access(mmio: boolean, isWrite: boolean, low: number, high: number, size: number, value: number): number {
    const { words, base } = this
    words[base + KIND] = (mmio ? KIND_MMIO : 0) | (isWrite ? KIND_WRITE : 0)
    words[base + ADDRESS_LOW] = low
    words[base + ADDRESS_HIGH] = high
    words[base + SIZE] = size
    words[base + VALUE] = value
    Atomics.store(words, base + STATUS, POSTED)
    write(this.wakeFd, ONE, 8)
    // A write waits too: the guest may rely on its effect at the very next instruction, on any CPU.
    while (Atomics.load(words, base + STATUS) === POSTED) Atomics.wait(words, base + STATUS, POSTED)
    Atomics.store(words, base + STATUS, IDLE)
    return words[base + VALUE]! >>> 0
  }
}

export interface BusAccess {
  read(address: number, size: 1 | 2 | 4): number
  write(address: number, size: 1 | 2 | 4, value: number): void
}

export class MailboxServer {
  private readonly words: Int32Array
  private readonly cpus: number
  private readonly pio: BusAccess
  private readonly mmio: BusAccess

  constructor(control: SharedArrayBuffer, cpus: number, pio: BusAccess, mmio: BusAccess) {
    this.words = new Int32Array(control)
    this.cpus = cpus
    this.pio = pio
    this.mmio = mmio
  }

  /** Serves every posted access. */
  serve(): void {
    const { words } = this
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      const base = cpu * STRIDE
      if (Atomics.load(words, base + STATUS) !== POSTED) continue
      const kind = words[base + KIND]!
      const bus = kind & KIND_MMIO ? this.mmio : this.pio
      const address = (words[base + ADDRESS_LOW]! >>> 0) + (words[base + ADDRESS_HIGH]! >>> 0) * 2 ** 32
      const size = words[base + SIZE] as 1 | 2 | 4
      if (kind & KIND_WRITE) bus.write(address, size, words[base + VALUE]! >>> 0)
      else words[base + VALUE] = bus.read(address, size)
      Atomics.store(words, base + STATUS, ANSWERED)
      Atomics.notify(words, base + STATUS, 1)
    }
  }
}

/** Lets vCPUs go that wait for an I/O thread that is no more, so that they can be stopped. Their reads give all ones. */
export function abandonMailboxes(control: SharedArrayBuffer, cpus: number): void {
  const words = new Int32Array(control)
  for (let cpu = 0; cpu < cpus; cpu++) {
    const base = cpu * STRIDE
    if (Atomics.load(words, base + STATUS) !== POSTED) continue
    words[base + VALUE] = -1
    Atomics.store(words, base + STATUS, ANSWERED)
    Atomics.notify(words, base + STATUS, 1)
  }
}
