import type { PciDriver } from '../../virtio/testing/pci-driver.ts'

const HEADER = 12
const RX_AREA = 0x20_0000
const TX_AREA = 0x60_0000
/** From one pair of queues to the next. */
const AREA = 0x80_0000

/** The guest's end of a network card: keeps receive buffers on offer and puts packets together again. */
export class NetDriver {
  driver: PciDriver
  readonly bufferBytes: number
  /** num_buffers of each packet received. */
  readonly bufferCounts: number[] = []
  private readonly buffers = new Map<number, number>()
  private pending: { id: number; length: number }[] = []
  /** On offer, in order. */
  private readonly offered: number[] = []
  private next = 0
  private sent = 0
  private readonly pair: number

  /** `pair` is 0 or 1. */
  constructor(driver: PciDriver, bufferBytes: number, pair = 0) {
    this.pair = pair
    this.driver = driver
    this.bufferBytes = bufferBytes
  }

  /** The same, with what it has on offer, after `PciDriver.moveTo`. */
  moved(driver: PciDriver): this {
    this.driver = driver
    return this
  }

  /** Offers `count` more receive buffers and rings. */
  offer(count: number): void {
    const queue = this.driver.queues[this.pair * 2]!
    for (let i = 0; i < count; i++) {
      const address = this.pair * AREA + RX_AREA + (this.next++ % queue.size) * 0x4000
      const head = queue.add([{ address, length: this.bufferBytes, writable: true }])
      this.buffers.set(head, address)
      this.offered.push(head)
    }
    this.driver.kick(this.pair * 2)
  }

  /** Packets that arrived since the last call, without their headers; their buffers are not offered again. */
  received(): Uint8Array[] {
    const { memory } = this.driver.machine
    const used = this.driver.queues[this.pair * 2]!.takeUsed()
    for (const { id } of used) {
      const next = this.offered.shift()
      // Nothing else than its own buffers of this life, and a network card takes them in turn.
      if (id !== next) throw new Error(`buffer ${id} came back, ${next} was next`)
    }
    this.pending.push(...used)
    const packets: Uint8Array[] = []
    while (this.pending.length > 0) {
      const count = memory.readU16(this.buffers.get(this.pending[0]!.id)! + 10)
      if (count === 0 || this.pending.length < count) throw new Error(`num_buffers ${count}`)
      this.bufferCounts.push(count)
      const parts = this.pending
        .splice(0, count)
        .map(({ id, length }) => memory.bytes(this.buffers.get(id)!, length).slice())
      packets.push(new Uint8Array(Buffer.concat(parts).subarray(HEADER)))
    }
    return packets
  }

  /** Puts a frame into the transmit ring, header and frame in two descriptors, without ringing. */
  queue(frame: Uint8Array, header: readonly number[] = []): void {
    const { memory } = this.driver.machine
    const at = this.pair * AREA + TX_AREA + (this.sent++ % 16) * 0x2_0000
    memory.fill(at, HEADER, 0)
    memory.write(at, new Uint8Array(header))
    memory.write(at + 64, frame)
    this.driver.queues[this.pair * 2 + 1]!.add([
      { address: at, length: HEADER },
      { address: at + 64, length: frame.length },
    ])
  }

  send(frame: Uint8Array, header: readonly number[] = []): void {
    this.queue(frame, header)
    this.driver.kick(this.pair * 2 + 1)
  }
}
