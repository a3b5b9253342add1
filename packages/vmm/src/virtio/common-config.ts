import type { VirtioState } from '@hearth/shared/vm-snapshot'
import { VIRTIO_MSI_NO_VECTOR } from './constants.ts'

/** What the driver configured of one queue (VIRTIO 1.2, section 4.1.4.3, the queue_… fields). */
export class QueueRegisters {
  readonly maxSize: number
  size = 0
  vector = VIRTIO_MSI_NO_VECTOR
  enabled = false
  /** Descriptor area, driver area, device area: low and high halves. */
  readonly addresses = new Uint32Array(6)

  constructor(maxSize: number) {
    this.maxSize = maxSize
    this.reset()
  }

  reset(): void {
    this.size = this.maxSize
    this.vector = VIRTIO_MSI_NO_VECTOR
    this.enabled = false
    this.addresses.fill(0)
  }

  /** 0 the descriptor table, 1 the available ring, 2 the used ring. Above 2^53 it loses low bits and is no RAM. */
  address(area: 0 | 1 | 2): number {
    return this.addresses[area * 2]! + this.addresses[area * 2 + 1]! * 0x1_0000_0000
  }
}

/** What the registers act on; the transport implements it. */
export interface CommonConfigTarget {
  readonly offeredFeatures: bigint
  readonly status: number
  readonly configGeneration: number
  readonly vectorCount: number
  writeStatus(value: number): void
  /** Whether the driver may still choose features. */
  readonly featuresOpen: boolean
  enableQueue(index: number): void
}

interface Register {
  readonly offset: number
  readonly bytes: number
  read(): number
  write?(value: number): void
}

/** Length of struct virtio_pci_common_cfg up to and including queue_reset. */
export const COMMON_CONFIG_BYTES = 60

/**
 * The common configuration structure (VIRTIO 1.2, section 4.1.4.3) as a table of its registers. Drivers must
 * use each field's own width (4.1.3.1), 64-bit fields as two halves; anything else reads 0 and writes nothing.
 */
export class CommonConfig {
  readonly queues: readonly QueueRegisters[]
  configVector = VIRTIO_MSI_NO_VECTOR
  private readonly target: CommonConfigTarget
  private readonly registers = new Map<number, Register>()
  private readonly driverFeatureWords = new Uint32Array(2)
  private deviceFeatureSelect = 0
  private driverFeatureSelect = 0
  queueSelect = 0

  constructor(queueSizes: readonly number[], target: CommonConfigTarget) {
    this.queues = queueSizes.map((size) => new QueueRegisters(size))
    this.target = target
    for (const register of this.table()) this.registers.set(register.offset, register)
  }

  get driverFeatures(): bigint {
    return (BigInt(this.driverFeatureWords[1]!) << 32n) | BigInt(this.driverFeatureWords[0]!)
  }

  reset(): void {
    this.configVector = VIRTIO_MSI_NO_VECTOR
    this.deviceFeatureSelect = 0
    this.driverFeatureSelect = 0
    this.queueSelect = 0
    this.driverFeatureWords.fill(0)
    for (const queue of this.queues) queue.reset()
  }

  save(): Pick<
    VirtioState,
    'configVector' | 'deviceFeatureSelect' | 'driverFeatureSelect' | 'queueSelect' | 'driverFeatures'
  > {
    const { configVector, deviceFeatureSelect, driverFeatureSelect, queueSelect } = this
    const driverFeatures = `0x${this.driverFeatures.toString(16)}`
    return { configVector, deviceFeatureSelect, driverFeatureSelect, queueSelect, driverFeatures }
  }

  /** All but the queues' `enabled`, which the transport sets when it enables them. Throws RangeError when the queues are not as many. */
  restore(state: VirtioState): void {
    if (state.queues.length !== this.queues.length) {
      throw new RangeError(`${state.queues.length} queues where ${this.queues.length} are`)
    }
    this.configVector = this.vector(state.configVector)
    this.deviceFeatureSelect = state.deviceFeatureSelect
    this.driverFeatureSelect = state.driverFeatureSelect
    this.queueSelect = state.queueSelect
    const features = BigInt(state.driverFeatures)
    this.driverFeatureWords[0] = Number(features & 0xffff_ffffn)
    this.driverFeatureWords[1] = Number(features >> 32n)
    for (const [i, saved] of state.queues.entries()) {
      const queue = this.queues[i]!
      queue.size = saved.size
      queue.vector = this.vector(saved.vector)
      queue.addresses.set(saved.addresses)
    }
  }

  read(offset: number, size: number): number {
    const register = this.registers.get(offset)
    return register?.bytes === size ? register.read() : 0
  }

  write(offset: number, size: number, value: number): void {
    const register = this.registers.get(offset)
    if (register?.bytes === size) register.write?.(value)
  }

  /** A vector that does not exist reads back as NO_VECTOR: the driver's sign that it was refused (4.1.5.1.2). */
  private vector(value: number): number {
    return value < this.target.vectorCount ? value : VIRTIO_MSI_NO_VECTOR
  }

  private selected(): QueueRegisters | undefined {
    return this.queues[this.queueSelect]
  }

  /** Calls `change` with the selected queue while the driver may configure it. */
  private configure(change: (queue: QueueRegisters) => void): void {
    const queue = this.selected()
    if (queue !== undefined && !queue.enabled) change(queue)
  }

  private table(): Register[] {
    const target = this.target
    const registers: Register[] = [
      {
        offset: 0,
        bytes: 4,
        read: () => this.deviceFeatureSelect,
        write: (value) => {
          this.deviceFeatureSelect = value
        },
      },
      {
        offset: 4,
        bytes: 4,
        read: () =>
          this.deviceFeatureSelect > 1
            ? 0
            : Number((target.offeredFeatures >> BigInt(32 * this.deviceFeatureSelect)) & 0xffff_ffffn),
      },
      {
        offset: 8,
        bytes: 4,
        read: () => this.driverFeatureSelect,
        write: (value) => {
          this.driverFeatureSelect = value
        },
      },
      {
        offset: 12,
        bytes: 4,
        read: () => this.driverFeatureWords[this.driverFeatureSelect] ?? 0,
        write: (value) => {
          if (target.featuresOpen && this.driverFeatureSelect < 2) {
            this.driverFeatureWords[this.driverFeatureSelect] = value
          }
        },
      },
      {
        offset: 16,
        bytes: 2,
        read: () => this.configVector,
        write: (value) => {
          this.configVector = this.vector(value)
        },
      },
      { offset: 18, bytes: 2, read: () => this.queues.length },
      { offset: 20, bytes: 1, read: () => target.status, write: (value) => target.writeStatus(value) },
      { offset: 21, bytes: 1, read: () => target.configGeneration },
      {
        offset: 22,
        bytes: 2,
        read: () => this.queueSelect,
        write: (value) => {
          this.queueSelect = value
        },
      },
      {
        offset: 24,
        bytes: 2,
        // A queue that does not exist has size 0.
        read: () => this.selected()?.size ?? 0,
        write: (value) =>
          this.configure((queue) => {
            queue.size = value
          }),
      },
      {
        offset: 26,
        bytes: 2,
        read: () => this.selected()?.vector ?? VIRTIO_MSI_NO_VECTOR,
        write: (value) => {
          // Linux sets the vector after it enabled the queue on some paths; nothing depends on the order.
          const queue = this.selected()
          if (queue !== undefined) queue.vector = this.vector(value)
        },
      },
      {
        offset: 28,
        bytes: 2,
        read: () => (this.selected()?.enabled ? 1 : 0),
        write: (value) => {
          // Writing 0 is forbidden to drivers (4.1.4.3.2): only a reset disables a queue.
          const queue = this.selected()
          if (value === 1 && queue !== undefined && !queue.enabled) target.enableQueue(this.queueSelect)
        },
      },
      { offset: 30, bytes: 2, read: () => (this.selected() === undefined ? 0 : this.queueSelect) },
      // queue_notify_data and queue_reset belong to features that are not offered.
      { offset: 56, bytes: 2, read: () => 0 },
      { offset: 58, bytes: 2, read: () => 0 },
    ]
    for (let half = 0; half < 6; half++) {
      registers.push({
        offset: 32 + half * 4,
        bytes: 4,
        read: () => this.selected()?.addresses[half] ?? 0,
        write: (value) =>
          this.configure((queue) => {
            queue.addresses[half] = value
          }),
      })
    }
    return registers
  }
}
