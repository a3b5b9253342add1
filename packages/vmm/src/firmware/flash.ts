/**
 * The flash chip that keeps UEFI's variables: Intel's command set (CFI primary command set 1, Intel 28F data sheets)
 * as far as OVMF uses it. In array mode the guest reads the bytes as memory, without leaving it; a write is a command
 * and leaves it, and while one is under way so do reads.
 */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'

const COMMAND = {
  PROGRAM: 0x40,
  PROGRAM_ALTERNATIVE: 0x10,
  ERASE: 0x20,
  ERASE_CONFIRM: 0xd0,
  CLEAR_STATUS: 0x50,
  READ_STATUS: 0x70,
  READ_ARRAY: 0xff,
} as const
const STATUS_READY = 0x80
const ERASED = 0xff
export const FLASH_BLOCK_BYTES = 4096

/** `array`: reads give the bytes. Else reads give the status, and the next write is a command, a datum, or "yes, erase". */
type Mode = 'array' | 'status' | 'program' | 'erase'

export interface FlashEvents {
  /** Whether the guest may read the bytes as memory. */
  readable(memory: boolean): void
  /** Back in array mode after bytes changed: time to make them durable. */
  written(): void
}

export class Flash implements BusDevice {
  readonly name = 'flash'
  private readonly bytes: Uint8Array
  private readonly events: FlashEvents
  private mode: Mode = 'array'
  private status = STATUS_READY
  private dirty = false

  /** `bytes` is the memory the guest reads in array mode; it belongs to this device to write. */
  constructor(bytes: Uint8Array, events: FlashEvents) {
    this.bytes = bytes
    this.events = events
  }

  read(offset: number, size: number): number {
    if (this.mode !== 'array') return this.status
    let value = 0
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (this.bytes[offset + i] ?? ERASED)
    return value
  }

  write(offset: number, size: number, value: number): void {
    switch (this.mode) {
      case 'program':
        for (let i = 0; i < size; i++) this.program(offset + i, (value >>> (8 * i)) & 0xff)
        this.done()
        break
      case 'erase':
        if ((value & 0xff) === COMMAND.ERASE_CONFIRM) this.erase(offset)
        this.done()
        break
      default:
        this.command(value & 0xff)
    }
  }

  save(): ChipsetState['flash'] {
    // Bytes that were programmed are in the file already; that they are durable comes with the next snapshot of it.
    if (this.dirty) this.events.written()
    return { mode: this.mode, status: this.status }
  }

  restore(state: NonNullable<ChipsetState['flash']>): void {
    this.status = state.status
    this.enter(state.mode)
  }

  private command(command: number): void {
    switch (command) {
      case COMMAND.PROGRAM:
      case COMMAND.PROGRAM_ALTERNATIVE:
        this.enter('program')
        break
      case COMMAND.ERASE:
        this.enter('erase')
        break
      case COMMAND.READ_STATUS:
        this.enter('status')
        break
      case COMMAND.CLEAR_STATUS:
        this.status = 0
        this.enter('array')
        break
      default:
        // READ_ARRAY, and anything this chip does not know.
        this.enter('array')
    }
  }

  private enter(mode: Mode): void {
    const before = this.mode
    this.mode = mode
    if ((before === 'array') !== (mode === 'array')) this.events.readable(mode === 'array')
    if (mode === 'array' && this.dirty) {
      this.dirty = false
      this.events.written()
    }
  }

  private program(offset: number, value: number): void {
    if (offset >= this.bytes.length) return
    // Programming only clears bits; erasing sets them.
    this.bytes[offset] = this.bytes[offset]! & value
    this.dirty = true
  }

  private erase(offset: number): void {
    const start = offset - (offset % FLASH_BLOCK_BYTES)
    this.bytes.fill(ERASED, start, start + FLASH_BLOCK_BYTES)
    this.dirty = true
  }

  private done(): void {
    this.status |= STATUS_READY
    this.mode = 'status'
  }
}
