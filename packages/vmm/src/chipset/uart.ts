/**
 * A 16550A serial port (National PC16550D data sheet). Its state lives in shared memory, because every vCPU
 * thread serves its registers inline (a byte of console output must not cost two thread switches) and the main
 * thread feeds it input. One lock guards the registers.
 *
 * The transmitter is always empty: bytes go to a ring that the main thread drains without waiting for any
 * viewer, so the guest never waits either. IRQ 4 is edge-triggered through an irqfd: it fires when a condition
 * appears, and the driver reads IIR until none is left.
 */
import type { UartState } from '@hearth/shared/vm-snapshot'
import { SharedRing } from '../serial/shared-ring.ts'
import { write } from '../sys/libc.ts'
import { lock, unlock } from '../sys/mutex.ts'

const TX_CAPACITY = 256 * 1024
const RX_CAPACITY = 4096
/** Below this, waiting input is asked for again. */
const RX_LOW = RX_CAPACITY / 2

/** Words of the shared state. */
const LOCK = 0
const IER = 1
const LCR = 2
const MCR = 3
const SCR = 4
const DIVISOR = 5
const FIFO_ENABLED = 6
const THR_EMPTY_PENDING = 7
/** The main thread has been told about output and has not looked yet. */
const TX_SIGNALLED = 8
/** The main thread holds input that did not fit. */
const RX_WANTED = 9
/** Output bytes that found the ring full. */
const TX_DROPPED = 10
const WORDS = 16

const IER_RDI = 1
const IER_THRI = 2
const IIR_NONE = 1
const IIR_THRI = 2
const IIR_RDI = 4
const IIR_FIFO = 0xc0
const FCR_ENABLE = 1
const FCR_CLEAR_RCVR = 2
const LCR_DLAB = 0x80
const MCR_LOOP = 0x10
const LSR_DR = 1
const LSR_THRE_TEMT = 0x60
/** Carrier, data set ready, clear to send: somebody is always there. */
const MSR_PRESENT = 0xb0

const ONE = new BigUint64Array([1n])

export interface UartHandle {
  readonly shared: SharedArrayBuffer
  /** eventfd, irqfd of IRQ 4. */
  readonly irqFd: number
  /** eventfd that tells the main thread of output, and of room for input. */
  readonly attentionFd: number
}

export class Uart {
  private readonly words: Int32Array
  private readonly tx: SharedRing
  private readonly rx: SharedRing
  private readonly irqFd: number
  private readonly attentionFd: number

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(
      WORDS * 4 + SharedRing.byteLength(TX_CAPACITY) + SharedRing.byteLength(RX_CAPACITY),
    )
  }

  constructor(handle: UartHandle) {
    this.words = new Int32Array(handle.shared, 0, WORDS)
    this.tx = new SharedRing(handle.shared, WORDS * 4, TX_CAPACITY)
    this.rx = new SharedRing(handle.shared, WORDS * 4 + SharedRing.byteLength(TX_CAPACITY), RX_CAPACITY)
    this.irqFd = handle.irqFd
    this.attentionFd = handle.attentionFd
  }

  // Register side: any vCPU thread. Allocates nothing.

  /** `offset` 0–7. */
  readRegister(offset: number): number {
    const words = this.words
    lock(words, LOCK)
    const value = this.read(offset)
    const ask = offset === 0 && words[RX_WANTED] === 1 && this.rx.length < RX_LOW
    if (ask) words[RX_WANTED] = 0
    unlock(words, LOCK)
    if (ask) write(this.attentionFd, ONE, 8)
    return value
  }

  writeRegister(offset: number, value: number): void {
    const words = this.words
    lock(words, LOCK)
    const interrupt = this.write(offset, value)
    unlock(words, LOCK)
    if (interrupt) write(this.irqFd, ONE, 8)
    if (offset === 0 && this.tx.length > 0 && Atomics.exchange(words, TX_SIGNALLED, 1) === 0) {
      write(this.attentionFd, ONE, 8)
    }
  }

  private read(offset: number): number {
    const words = this.words
    switch (offset) {
      case 0: {
        if (words[LCR]! & LCR_DLAB) return words[DIVISOR]! & 0xff
        // An empty receiver reads 0.
        return Math.max(0, this.rx.shift())
      }
      case 1:
        return words[LCR]! & LCR_DLAB ? words[DIVISOR]! >> 8 : words[IER]!
      case 2: {
        const fifo = words[FIFO_ENABLED]! ? IIR_FIFO : 0
        if (words[IER]! & IER_RDI && this.rx.length > 0) return fifo | IIR_RDI
        if (words[IER]! & IER_THRI && words[THR_EMPTY_PENDING]!) {
          // Reading IIR as the reported source takes the request back.
          words[THR_EMPTY_PENDING] = 0
          return fifo | IIR_THRI
        }
        return fifo | IIR_NONE
      }
      case 3:
        return words[LCR]!
      case 4:
        return words[MCR]!
      case 5:
        return LSR_THRE_TEMT | (this.rx.length > 0 ? LSR_DR : 0)
      case 6: {
        const mcr = words[MCR]!
        if (!(mcr & MCR_LOOP)) return MSR_PRESENT
        // Loopback wires RTS, DTR, OUT1, OUT2 to CTS, DSR, RI, DCD.
        return ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4)
      }
      default:
        return words[SCR]!
    }
  }

  /** Whether IRQ 4 is to be fired. */
  private write(offset: number, value: number): boolean {
    const words = this.words
    switch (offset) {
      case 0: {
        if (words[LCR]! & LCR_DLAB) {
          words[DIVISOR] = (words[DIVISOR]! & 0xff00) | value
          return false
        }
        if (words[MCR]! & MCR_LOOP) {
          this.rx.push(value)
          return (words[IER]! & IER_RDI) !== 0
        }
        if (!this.tx.push(value)) words[TX_DROPPED] = words[TX_DROPPED]! + 1
        const first = words[THR_EMPTY_PENDING] === 0
        words[THR_EMPTY_PENDING] = 1
        return first && (words[IER]! & IER_THRI) !== 0
      }
      case 1: {
        if (words[LCR]! & LCR_DLAB) {
          words[DIVISOR] = (words[DIVISOR]! & 0xff) | (value << 8)
          return false
        }
        const enabled = value & ~words[IER]!
        words[IER] = value & 0xf
        if (enabled & IER_THRI) words[THR_EMPTY_PENDING] = 1
        return (enabled & IER_THRI) !== 0 || ((enabled & IER_RDI) !== 0 && this.rx.length > 0)
      }
      case 2:
        words[FIFO_ENABLED] = value & FCR_ENABLE
        if (value & FCR_CLEAR_RCVR) this.rx.clear()
        return false
      case 3:
        words[LCR] = value
        return false
      case 4:
        words[MCR] = value & 0x1f
        return false
      case 7:
        words[SCR] = value
        return false
      default:
        return false
    }
  }

  // Line side: the main thread.

  /** Moves output out; call until it returns 0. The attention eventfd fires again for what comes later. */
  takeOutput(target: Uint8Array): number {
    Atomics.store(this.words, TX_SIGNALLED, 0)
    return this.tx.read(target)
  }

  /** Output bytes lost since the last call because the ring was full. */
  takeDropped(): number {
    lock(this.words, LOCK)
    const dropped = this.words[TX_DROPPED]!
    this.words[TX_DROPPED] = 0
    unlock(this.words, LOCK)
    return dropped
  }

  /** Offers input; returns how many bytes were taken. For the rest the attention eventfd says when to come again. */
  offerInput(bytes: Uint8Array): number {
    const words = this.words
    lock(words, LOCK)
    let taken = 0
    while (taken < bytes.length && this.rx.push(bytes[taken]!)) taken++
    words[RX_WANTED] = taken < bytes.length ? 1 : 0
    const interrupt = taken > 0 && (words[IER]! & IER_RDI) !== 0
    unlock(words, LOCK)
    if (interrupt) write(this.irqFd, ONE, 8)
    return taken
  }
  /** While no vCPU runs and nothing is offered. Input that was not read stays in the port as well. */
  save(): UartState {
    const words = this.words
    return {
      ier: words[IER]!,
      lcr: words[LCR]!,
      mcr: words[MCR]!,
      scr: words[SCR]!,
      divisor: words[DIVISOR]!,
      fifoEnabled: words[FIFO_ENABLED] !== 0,
      thrEmptyPending: words[THR_EMPTY_PENDING] !== 0,
      input: Buffer.from(this.rx.peek()).toString('base64'),
    }
  }

  /** On a new port, before its machine runs. */
  restore(state: UartState): void {
    const words = this.words
    words[IER] = state.ier & 0xf
    words[LCR] = state.lcr
    words[MCR] = state.mcr & 0x1f
    words[SCR] = state.scr
    words[DIVISOR] = state.divisor
    words[FIFO_ENABLED] = state.fifoEnabled ? 1 : 0
    words[THR_EMPTY_PENDING] = state.thrEmptyPending ? 1 : 0
    for (const byte of Buffer.from(state.input, 'base64')) this.rx.push(byte)
    // An edge that was on its way when the machine stopped is not lost; one too many finds nothing in IIR.
    if (state.ier !== 0) write(this.irqFd, ONE, 8)
  }
}
