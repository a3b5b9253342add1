/** Puts the legacy devices on the port bus. */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { MutableBus } from '../bus/device.ts'
import type { EventLoop } from '../io/event-loop.ts'
import type { InterruptController } from '../io/platform.ts'
import { IRQ, PORT } from '../machine/layout.ts'
import { AcpiPm, PM1_BYTES } from './acpi-pm.ts'
import { Cmos } from './cmos.ts'
import type { MachineEvents } from './events.ts'
import { GPE_BYTES, GpeBlock, sharedPin } from './gpe.ts'
import { I8042Command, I8042Data } from './i8042.ts'
import { Ps2Keyboard } from './ps2-keyboard.ts'
import { Pvpanic } from './pvpanic.ts'
import { ResetControl } from './reset-control.ts'

export interface Chipset {
  readonly acpiPm: AcpiPm
  readonly gpe: GpeBlock
  /** Of a machine with a display. */
  readonly keyboard: Ps2Keyboard | undefined
  /** For the PCI bus, whose configuration ports it lies among. */
  readonly resetControl: ResetControl
  save(): ChipsetState
  restore(state: ChipsetState): void
}

export function plugChipset(
  pio: MutableBus,
  interrupts: InterruptController,
  machine: { readonly lowRam: number; readonly highRam: number; readonly display?: unknown },
  events: MachineEvents,
  loop: EventLoop,
): Chipset {
  const [fixed, general] = sharedPin(interrupts.pin(IRQ.sci), 2)
  const acpiPm = new AcpiPm(fixed!, events)
  const gpe = new GpeBlock(general!)
  const keyboard =
    machine.display === undefined ? undefined : new Ps2Keyboard((ms, fire) => loop.after(ms, fire))
  const port = keyboard && { keyboard, line: interrupts.pin(IRQ.keyboard) }
  const i8042 = new I8042Command(events, port)
  pio.add(PORT.i8042Data, 1, new I8042Data(i8042))
  pio.add(PORT.i8042Command, 1, i8042)
  const cmos = new Cmos(machine.lowRam, machine.highRam)
  pio.add(PORT.cmos, 2, cmos)
  pio.add(PORT.pvpanic, 1, new Pvpanic(events))
  pio.add(PORT.pm1aEvent, PM1_BYTES, acpiPm)
  pio.add(PORT.gpe0, GPE_BYTES, gpe)
  const resetControl = new ResetControl(events)
  /** By the names in the snapshot. */
  const withState = { 'acpi-pm': acpiPm, gpe, cmos, i8042, 'reset-control': resetControl } as const
  return {
    acpiPm,
    gpe,
    keyboard,
    resetControl,
    save: () =>
      Object.fromEntries(
        Object.entries(withState).map(([name, part]) => [name, part.save()]),
      ) as ChipsetState,
    restore: (state) => {
      for (const [name, part] of Object.entries(withState)) {
        const saved = state[name as keyof ChipsetState]
        if (saved !== undefined) part.restore(saved as never)
      }
    },
  }
}
