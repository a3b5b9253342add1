/** System control port A, 0x92: the fast way to open address line 20, and to reset. The line is always open here. */
import type { BusDevice } from '../bus/device.ts'
import type { MachineEvents } from './events.ts'

const FAST_RESET = 1 << 0
const A20 = 1 << 1

export function systemControlA(events: MachineEvents): BusDevice {
  let value = A20
  return {
    name: 'system-control-a',
    read: () => value,
    write(_offset, _size, written) {
      const rising = (written & ~value & FAST_RESET) !== 0
      value = (written & 0xff) | A20
      if (rising) events.reset('system control port')
    },
  }
}
