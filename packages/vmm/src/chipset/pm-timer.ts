/** The ACPI power management timer: 24 bits at 3.579545 MHz (ACPI 6.5, 4.8.3.3). A pure function of time, so every vCPU thread reads it inline. */
import { clockGettime } from '../sys/libc.ts'

const CLOCK_MONOTONIC = 1
const HERTZ = 3_579_545
/** The counter wraps every 4.7 s; seconds are reduced first so that the product stays exact. */
const SECONDS_PERIOD = 2 ** 24

const timespec = new Uint32Array(4)

export function pmTimerTicks(seconds: number, nanoseconds: number): number {
  const ticks = (seconds % SECONDS_PERIOD) * HERTZ + Math.floor((nanoseconds * HERTZ) / 1e9)
  return ticks % 0x100_0000
}

/** Allocates nothing. The clock is the same for all threads. */
export function readPmTimer(): number {
  clockGettime(CLOCK_MONOTONIC, timespec)
  return pmTimerTicks(timespec[0]!, timespec[2]!)
}
