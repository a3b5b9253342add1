/**
 * Interrupts of devices on the I/O thread: the GSI routing table, one irqfd per MSI vector, and shared level
 * pins. The kernel replaces the whole table at each change (api.rst 4.52), so its one copy lives here; the
 * default routes below equal those the monitor needs before this object exists.
 */
import type { InterruptController, IrqPin, MsiVector } from '../io/platform.ts'
import { IOAPIC_PINS } from '../machine/layout.ts'
import { check, close, EFD, eventfdCreate, ioctl, write } from '../sys/libc.ts'
import {
  KVM_IRQ_ROUTING_IRQCHIP,
  KVM_IRQ_ROUTING_MSI,
  KVM_IRQCHIP,
  KVM_SET_GSI_ROUTING,
  SIZE,
} from './api.ts'
import type { Vm } from './vm.ts'

interface MsiRoute {
  readonly gsi: number
  readonly addressLow: number
  readonly addressHigh: number
  readonly data: number
}

/** KVM_MAX_IRQ_ROUTES is 4096; a machine with more MSI vectors than this has a device that leaks them. */
const MAX_MSI = 2048
const ONE = new BigUint64Array([1n])

export class KvmInterrupts implements InterruptController {
  private readonly vm: Vm
  private readonly routes = new Map<number, MsiRoute>()
  private readonly free: number[] = []
  private nextGsi = IOAPIC_PINS
  /** The kernel still has the route of a released vector. */
  private stale = false
  /** How many devices hold each pin high: a shared level line is their OR. */
  private readonly asserted = new Map<number, number>()

  constructor(vm: Vm) {
    this.vm = vm
    this.commit()
  }

  allocateMsi(): MsiVector {
    const gsi = this.free.pop() ?? this.nextGsi++
    if (gsi >= IOAPIC_PINS + MAX_MSI) throw new RangeError(`more than ${MAX_MSI} MSI vectors`)
    // A new vector must not fire the message of the one that had its GSI before.
    if (this.stale) this.commit()
    const fd = check('eventfd', eventfdCreate(0, EFD.CLOEXEC | EFD.NONBLOCK))
    this.vm.assignIrqfd(fd, gsi)
    let released = false
    return {
      route: (addressLow, addressHigh, data) => {
        const now = this.routes.get(gsi)
        // Replacing the table waits for every vCPU; Linux rewrites unchanged messages often.
        if (now?.addressLow === addressLow && now.addressHigh === addressHigh && now.data === data) return
        this.routes.set(gsi, { gsi, addressLow, addressHigh, data })
        this.commit()
      },
      fire: () => {
        write(fd, ONE, 8)
      },
      release: () => {
        if (released) return
        released = true
        this.vm.deassignIrqfd(fd, gsi)
        close(fd)
        // Harmless without its irqfd; replacing the table for each vector of a machine that ends would cost more.
        if (this.routes.delete(gsi)) this.stale = true
        this.free.push(gsi)
      },
    }
  }

  pin(gsi: number): IrqPin {
    if (gsi < 0 || gsi >= IOAPIC_PINS) throw new RangeError(`no IOAPIC pin ${gsi}`)
    let level = false
    return {
      setLevel: (asserted) => {
        if (asserted === level) return
        level = asserted
        const before = this.asserted.get(gsi) ?? 0
        const after = before + (asserted ? 1 : -1)
        this.asserted.set(gsi, after)
        if (before === 0 || after === 0) this.vm.setIrqLine(gsi, after > 0)
      },
    }
  }

  private commit(): void {
    this.stale = false
    check(
      'KVM_SET_GSI_ROUTING',
      ioctl(this.vm.fd, KVM_SET_GSI_ROUTING, encodeRoutes([...this.routes.values()])),
    )
  }
}

/** struct kvm_irq_routing: the chips' pins as on a PC, then the messages. */
export function encodeRoutes(messages: readonly MsiRoute[]): DataView {
  const entries: [gsi: number, type: number, ...union: number[]][] = []
  for (let gsi = 0; gsi < 16; gsi++) {
    // IRQ 2 is the cascade between the PICs and never an input.
    if (gsi === 2) continue
    const chip = gsi < 8 ? KVM_IRQCHIP.PIC_MASTER : KVM_IRQCHIP.PIC_SLAVE
    entries.push([gsi, KVM_IRQ_ROUTING_IRQCHIP, chip, gsi & 7])
  }
  for (let gsi = 0; gsi < IOAPIC_PINS; gsi++) {
    // The timer's IRQ 0 is wired to IOAPIC pin 2, as the MADT's override says.
    if (gsi !== 2) entries.push([gsi, KVM_IRQ_ROUTING_IRQCHIP, KVM_IRQCHIP.IOAPIC, gsi === 0 ? 2 : gsi])
  }
  for (const m of messages) entries.push([m.gsi, KVM_IRQ_ROUTING_MSI, m.addressLow, m.addressHigh, m.data])

  const view = new DataView(new ArrayBuffer(8 + entries.length * SIZE.routingEntry))
  view.setUint32(0, entries.length, true)
  for (const [i, [gsi, type, ...union]] of entries.entries()) {
    const at = 8 + i * SIZE.routingEntry
    view.setUint32(at, gsi, true)
    view.setUint32(at + 4, type, true)
    for (const [n, word] of union.entries()) view.setUint32(at + 16 + n * 4, word >>> 0, true)
  }
  return view
}
