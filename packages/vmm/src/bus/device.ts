/**
 * What a bus (port I/O or MMIO) asks of a device. `offset` is relative to the start of the range the device
 * was registered with; `size` is 1, 2 or 4 bytes (an 8-byte MMIO access reaches a device as two 4-byte ones,
 * low half first); values are unsigned. A device is only ever called on its owner thread.
 * Reads of nothing answer all ones; writes to nothing are dropped.
 */
export interface BusDevice {
  readonly name: string
  read(offset: number, size: number): number
  write(offset: number, size: number, value: number): void
}

/** A bus whose ranges may change while the guest runs (a PCI BAR is moved by the guest). */
export interface MutableBus {
  /** Throws RangeError when the range overlaps another. */
  add(start: number, length: number, device: BusDevice): void
  remove(start: number): void
}
