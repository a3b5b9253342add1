import type { Msr } from './vcpu.ts'

const IA32_MISC_ENABLE = 0x1a0
const IA32_MTRR_DEF_TYPE = 0x2ff
const FAST_STRINGS = 1n
const MTRR_ENABLE = 1n << 11n
const MTRR_WRITE_BACK = 6n

/** What firmware would have left: string moves fast, all memory write-back unless the page tables say otherwise. */
export const bootMsrs: readonly Msr[] = [
  { index: IA32_MISC_ENABLE, value: FAST_STRINGS },
  { index: IA32_MTRR_DEF_TYPE, value: MTRR_ENABLE | MTRR_WRITE_BACK },
]
