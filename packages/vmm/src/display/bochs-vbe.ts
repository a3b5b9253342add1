/**
 * The registers by which firmware sets a mode: Bochs VBE extensions ("dispi"), memory-mapped in BAR 2 as QEMU's VGA devices
 * have them (qemu docs/specs/standard-vga.rst). OVMF drives a virtio GPU of the class VGA so, whose frame buffer its
 * programs and, until a driver comes, the kernel (efifb, simpledrm) then draw on.
 */
import type { BusDevice } from '../bus/device.ts'
import { EARLY_SCREEN } from '../machine/layout.ts'
import type { Bar } from '../pci/config-space.ts'
import { MAX_HEIGHT, MAX_WIDTH } from './tiles.ts'

const BAR_BYTES = 4096
/** The registers are 16 bits wide. Before them lie an EDID (none here) and VGA's ports, which mean nothing to 32 bits a pixel. */
const REGISTERS = 0x500
const INDEX = {
  ID: 0,
  XRES: 1,
  YRES: 2,
  BPP: 3,
  ENABLE: 4,
  VIRT_WIDTH: 6,
  X_OFFSET: 8,
  Y_OFFSET: 9,
  VIDEO_MEMORY_64K: 10,
} as const
const COUNT = 11
const ENABLE = { ENABLED: 1, GETCAPS: 2, LFB: 0x40, NOCLEARMEM: 0x80 } as const
/** With a linear frame buffer and a size of the video memory. */
const VBE_DISPI_ID5 = 0xb0c5
const BYTES_PER_PIXEL = 4

/** What of the frame buffer is shown; `offset` and `stride` in bytes. */
export interface VbeMode {
  readonly width: number
  readonly height: number
  readonly stride: number
  readonly offset: number
}

export class BochsVbe implements BusDevice {
  readonly name = 'bochs-vbe'
  readonly bar: Bar = { index: 2, kind: 'memory32', size: BAR_BYTES, device: this }
  private readonly words = new Uint16Array(COUNT)
  private readonly changed: (mode: VbeMode | undefined) => void
  private readonly clear: () => void

  constructor(changed: (mode: VbeMode | undefined) => void, clear: () => void) {
    this.changed = changed
    this.clear = clear
  }

  /** What the registers say now; undefined: nothing that could be shown. */
  get mode(): VbeMode | undefined {
    const { words } = this
    const [width, height, enable] = [words[INDEX.XRES]!, words[INDEX.YRES]!, words[INDEX.ENABLE]!]
    if ((enable & ENABLE.ENABLED) === 0 || words[INDEX.BPP] !== BYTES_PER_PIXEL * 8) return undefined
    const stride = Math.max(words[INDEX.VIRT_WIDTH]!, width) * BYTES_PER_PIXEL
    const offset = words[INDEX.Y_OFFSET]! * stride + words[INDEX.X_OFFSET]! * BYTES_PER_PIXEL
    if (width === 0 || height === 0 || width > MAX_WIDTH || height > MAX_HEIGHT) return undefined
    const end = offset + (height - 1) * stride + width * BYTES_PER_PIXEL
    return end > EARLY_SCREEN.bytes ? undefined : { width, height, stride, offset }
  }

  read(offset: number, size: number): number {
    const index = (offset - REGISTERS) >> 1
    if (size !== 2 || (offset & 1) !== 0 || index < 0 || index >= COUNT) return 0
    if (index === INDEX.ID) return VBE_DISPI_ID5
    if (index === INDEX.VIDEO_MEMORY_64K) return EARLY_SCREEN.bytes >> 16
    if ((this.words[INDEX.ENABLE]! & ENABLE.GETCAPS) !== 0) {
      if (index === INDEX.XRES) return MAX_WIDTH
      if (index === INDEX.YRES) return MAX_HEIGHT
      if (index === INDEX.BPP) return BYTES_PER_PIXEL * 8
    }
    return this.words[index]!
  }

  write(offset: number, size: number, value: number): void {
    const index = (offset - REGISTERS) >> 1
    if (size !== 2 || (offset & 1) !== 0 || index < 0 || index >= COUNT) return
    this.words[index] = value
    const wanted = ENABLE.ENABLED | ENABLE.NOCLEARMEM
    if (index === INDEX.ENABLE && (value & wanted) === ENABLE.ENABLED) this.clear()
    this.changed(this.mode)
  }

  save(): number[] {
    return [...this.words]
  }

  restore(words: readonly number[]): void {
    this.words.set(words)
    this.changed(this.mode)
  }
}
