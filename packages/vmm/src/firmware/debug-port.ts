/** Port 0x402, where firmware writes its log when a read of it gives 0xE9 (qemu's isa-debugcon). */
import type { BusDevice } from '../bus/device.ts'

const PRESENT = 0xe9
const LINE_MAX = 512

export class DebugPort implements BusDevice {
  readonly name = 'firmware-log'
  private readonly log: (line: string) => void
  private line = ''

  /** `log` gets a line at a time, without its end. */
  constructor(log: (line: string) => void) {
    this.log = log
  }

  read(): number {
    return PRESENT
  }

  write(_offset: number, size: number, value: number): void {
    for (let i = 0; i < size; i++) this.character((value >>> (8 * i)) & 0xff)
  }

  private character(code: number): void {
    const end = code === 0x0a
    if (!end && code >= 0x20 && code < 0x7f) this.line += String.fromCharCode(code)
    if (!end && this.line.length < LINE_MAX) return
    if (this.line !== '') this.log(this.line)
    this.line = ''
  }
}
