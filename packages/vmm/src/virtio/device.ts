/**
 * What a virtio transport asks of a device (VIRTIO 1.2, section 2). A device is (state, queues, backend): it
 * knows neither PCI nor KVM. The transport owns status, feature negotiation and queue configuration; the
 * queue owns every ring invariant; the device sees only descriptor chains.
 */
import type { EventLoop } from '../io/event-loop.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import type { Virtqueue } from './queue.ts'

export interface VirtioDevice {
  /** "block", "net", …: for logs and counters. */
  readonly name: string
  /** VIRTIO 1.2 section 5: 1 net, 2 block, 4 entropy … */
  readonly deviceId: number
  /** Largest size of each queue; the length is the number of queues. */
  readonly queueSizes: readonly number[]
  /** Device feature bits; VIRTIO_F_VERSION_1 and ring features are the transport's to add. */
  readonly features: bigint
  /** What it did so far, for metrics: requests, bytes, errors. Counts only grow. */
  readonly counters: Readonly<Record<string, number>>
  /** Whether it can work with this subset of its features (a feature may require another, 2.2.1). Absent: any. */
  acceptsFeatures?(negotiated: bigint): boolean
  /** Device-specific configuration, little endian; reads past `length` answer 0. */
  readonly config: {
    readonly length: number
    read(offset: number, size: number): number
    write(offset: number, size: number, value: number): void
  }
  /** DRIVER_OK: queues are live. `context.fail()` sets DEVICE_NEEDS_RESET (section 2.1.2). */
  activate(context: VirtioContext): void
  /** The driver rang queue `index`. */
  notify(index: number): void
  /**
   * For a snapshot, on an active device with all vCPUs stopped: brings every request under way to its end or gives
   * its chain back with `undo`, makes durable what the guest was told is done, and tells what the device knows
   * beside its queues: a value that `virtioDeviceStateSchemas` of packages/shared/src/vm-snapshot.ts has a schema
   * for under the device's name. Nothing but `notify`, `reset` or `close` follows. Absent: a VM with this device
   * cannot be saved while its driver is up.
   */
  save?(): unknown
  /** Right after `activate`, before any `notify`: takes on what `save` told, which is of the schema's type. */
  restore?(state: never): void
  /** Status 0, or the machine ends: forget all queues, give up every in-flight chain, keep the backend. */
  reset(): void
  /** The machine ends: close what the device owns. */
  close(): void
}

export interface VirtioContext {
  readonly memory: GuestMemory
  /** Negotiated feature bits, transport's included. */
  readonly features: bigint
  /** One per entry of `queueSizes`; one that the driver did not enable is always empty. */
  readonly queues: readonly Virtqueue[]
  /** The owner thread's loop. An exception in a callback fails this device only; remove registrations on reset. */
  readonly loop: EventLoop
  /** Tells the driver that used buffers are there, honouring its suppression (2.7.7); the transport chooses the vector. */
  interrupt(queueIndex: number): void
  /** Configuration change notification (2.3 Config change). */
  configChanged(): void
  /** The driver broke the rules: counted, logged once, DEVICE_NEEDS_RESET; the process and other devices go on. */
  fail(reason: string): void
}
