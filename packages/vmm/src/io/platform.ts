/**
 * What KVM offers a PCI device for speed: message-signalled interrupts by irqfd, queue notifies by ioeventfd,
 * level-triggered pins. The monitor implements it over the VM's file descriptor; tests implement it by hand.
 */

/** One MSI-X vector: an irqfd with its own GSI route (KVM api.rst 4.52 KVM_SET_GSI_ROUTING, 4.75 KVM_IRQFD). */
export interface MsiVector {
  /** Sets the message; takes effect before the call returns. */
  route(addressLow: number, addressHigh: number, data: number): void
  /** Raises the interrupt with the current message. Never blocks. */
  fire(): void
  release(): void
}

/** A level-triggered interrupt pin (INTx through the IOAPIC). */
export interface IrqPin {
  setLevel(asserted: boolean): void
}

export interface InterruptController {
  allocateMsi(): MsiVector
  /** `gsi` 0–23 is an IOAPIC pin. */
  pin(gsi: number): IrqPin
}

/** Writes of the guest to `address` signal `fd` in the kernel, without an exit (api.rst 4.59 KVM_IOEVENTFD). */
export interface NotifyRegistry {
  /** `length` 0 matches any access size. With `value`, `length` is 4 and only a write of that value counts. */
  add(space: 'pio' | 'mmio', address: number, length: number, fd: number, value?: number): void
  remove(space: 'pio' | 'mmio', address: number, length: number, fd: number, value?: number): void
}

/** Everything a PCI function may use; handed to it when it is plugged in. */
export interface Platform {
  readonly interrupts: InterruptController
  readonly notifies: NotifyRegistry
  /** Where a memory BAR's registers are dispatched when the guest enables the BAR. */
  readonly mmio: import('../bus/device.ts').MutableBus
  readonly pio: import('../bus/device.ts').MutableBus
  readonly loop: import('./event-loop.ts').EventLoop
}
