/**
 * The MC146818 real-time clock and its memory, at ports 0x70 and 0x71. The clock is the host's, in UTC and BCD;
 * what the guest writes to the time registers is ignored, so that a guest that keeps bad time does not carry it
 * over a reset. Alarms and periodic interrupts are not offered: every guest here has better timers.
 */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'

const REGISTER_A = 0x0a
const REGISTER_B = 0x0b
const REGISTER_C = 0x0c
const REGISTER_D = 0x0d
const CENTURY = 0x32
const MEMORY_BELOW_16M = 0x34
const MEMORY_ABOVE_4G = 0x5b
/** 32.768 kHz time base. */
const A_DIVIDER = 0x26
const B_24_HOURS = 0x02
const D_VALID = 0x80

const bcd = (value: number): number => ((Math.floor(value / 10) % 10) << 4) | (value % 10)

export class Cmos implements BusDevice {
  readonly name = 'cmos'
  private index = 0
  private readonly bytes = new Uint8Array(128)
  private readonly now: () => Date

  /** `lowRam` and `highRam`: bytes below and above 4 GiB, where firmware looks for them. */
  constructor(lowRam: number, highRam: number, now: () => Date = () => new Date()) {
    this.now = now
    const above16M = Math.min(0xffff, Math.max(0, (lowRam - 0x100_0000) / 0x1_0000))
    this.bytes[MEMORY_BELOW_16M] = above16M & 0xff
    this.bytes[MEMORY_BELOW_16M + 1] = above16M >> 8
    const above4G = Math.min(0xff_ffff, highRam / 0x1_0000)
    this.bytes[MEMORY_ABOVE_4G] = above4G & 0xff
    this.bytes[MEMORY_ABOVE_4G + 1] = (above4G >> 8) & 0xff
    this.bytes[MEMORY_ABOVE_4G + 2] = (above4G >> 16) & 0xff
  }

  read(offset: number, size: number): number {
    const value = offset === 0 ? this.index : this.register(this.index)
    return size === 1 ? value : value | (0xffff_ff00 >>> 0)
  }

  write(offset: number, size: number, value: number): void {
    // Bit 7 of the index port masks NMIs, which nobody raises here.
    if (offset === 0) this.index = value & 0x7f
    if (offset === 0 && size === 2) this.store(this.index, (value >> 8) & 0xff)
    if (offset === 1) this.store(this.index, value & 0xff)
  }

  save(): ChipsetState['cmos'] {
    return { index: this.index, bytes: Buffer.from(this.bytes).toString('base64') }
  }

  restore(state: NonNullable<ChipsetState['cmos']>): void {
    this.index = state.index & 0x7f
    this.bytes.set(Buffer.from(state.bytes, 'base64'))
  }

  private store(index: number, value: number): void {
    if (index > REGISTER_D && index !== CENTURY) this.bytes[index] = value
  }

  private register(index: number): number {
    const now = this.now()
    switch (index) {
      case 0x00:
        return bcd(now.getUTCSeconds())
      case 0x02:
        return bcd(now.getUTCMinutes())
      case 0x04:
        return bcd(now.getUTCHours())
      case 0x06:
        return now.getUTCDay() + 1
      case 0x07:
        return bcd(now.getUTCDate())
      case 0x08:
        return bcd(now.getUTCMonth() + 1)
      case 0x09:
        return bcd(now.getUTCFullYear() % 100)
      case CENTURY:
        return bcd(Math.floor(now.getUTCFullYear() / 100))
      case REGISTER_A:
        return A_DIVIDER
      case REGISTER_B:
        return B_24_HOURS
      case REGISTER_C:
        return 0
      case REGISTER_D:
        return D_VALID
      default:
        return this.bytes[index]!
    }
  }
}
