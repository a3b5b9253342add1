/** Between the serial port of the machine that runs and everybody who sees its console: the hub's viewers and the log. */
import koffi from 'koffi'
import type { Uart } from '../chipset/uart.ts'
import { check, EFD, eventfdCreate, read } from '../sys/libc.ts'
import { gapMarker, type SerialHub } from './hub.ts'
import type { SerialLog } from './log-file.ts'

const OUTPUT_CHUNK = 64 * 1024
/** How long output of a stream is collected before it is handed on. */
const COLLECT_MS = 5
/** A console that has said something and then nothing for so long waits for somebody. */
const QUIET_MS = 1500

export class SerialDrain {
  /** Signalled by the port: there is output, or room for input. */
  readonly attentionFd = check('eventfd', eventfdCreate(0, EFD.CLOEXEC | EFD.NONBLOCK))
  /** Gets all output from now on. */
  log: SerialLog | undefined
  private readonly hub: SerialHub
  private readonly chunk = new Uint8Array(OUTPUT_CHUNK)
  private uart: Uart | undefined
  private timer: NodeJS.Timeout | undefined
  private drainedAt = 0
  /** Somebody waits for silence. */
  private heard: (() => void) | undefined

  constructor(hub: SerialHub) {
    this.hub = hub
  }

  /** Until the returned handle is closed. */
  watch(): { close(): void } {
    return koffi.node.poll(this.attentionFd, { readable: true }, () => this.attend())
  }

  /** Calls `done` once, when the console is quiet for the first time after output that comes from now on. */
  whenQuiet(done: () => void): void {
    let timer: NodeJS.Timeout | undefined
    this.heard = () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        this.heard = undefined
        done()
      }, QUIET_MS).unref()
    }
  }

  /** The port of the machine that runs now. */
  connect(uart: Uart): void {
    this.uart = uart
    this.hub.setInput((bytes) => uart.offerInput(bytes))
  }

  /** What is typed now is for the next machine. */
  holdInput(): void {
    this.hub.setInput(undefined)
  }

  /** Takes the last output of a machine that has stopped. */
  disconnect(): void {
    this.takeOutput()
    this.uart = undefined
  }

  /**
   * The first bytes after a silence go out at once (somebody is typing); those of a stream are collected for a
   * few milliseconds. Until they are taken the port does not signal again, which saves a guest that prints much
   * two threads' system calls for every byte.
   */
  private attend(): void {
    read(this.attentionFd, new BigUint64Array(1), 8)
    this.hub.inputReady()
    if (this.timer !== undefined) return
    const wait = this.drainedAt + COLLECT_MS - performance.now()
    if (wait <= 0) this.drain()
    else this.timer = setTimeout(() => this.drain(), wait)
  }

  private drain(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.takeOutput()
    this.drainedAt = performance.now()
  }

  private takeOutput(): void {
    if (!this.uart) return
    for (;;) {
      const count = this.uart.takeOutput(this.chunk)
      if (count === 0) break
      this.output(this.chunk.slice(0, count))
    }
    const dropped = this.uart.takeDropped()
    if (dropped > 0) this.output(gapMarker(dropped))
  }

  private output(bytes: Uint8Array): void {
    this.heard?.()
    this.log?.append(bytes)
    this.hub.output(bytes)
  }
}
