/**
 * Runs one vCPU: KVM_RUN, serve the exit, again. Everything in here is on the guest's critical path and
 * allocates nothing.
 */
import { readPmTimer } from '../chipset/pm-timer.ts'
import type { Uart } from '../chipset/uart.ts'
import { HYPERCALL_PORT, HYPERCALL_PORTS, type HypercallEnd, type Hypercalls } from '../hvt/hypercalls.ts'
import type { MailboxClient } from '../io/mailbox.ts'
import { KVM_EXIT, KVM_EXIT_IO_OUT, KVM_RUN, RUN } from '../kvm/api.ts'
import { PORT } from '../machine/layout.ts'
import { errno, ioctlInt, viewOf } from '../sys/libc.ts'
import {
  COMMAND,
  COMMAND_RUN,
  COMMAND_STOP,
  COMMAND_TIDY,
  COMMAND_WAIT,
  STATE,
  STATE_RUNNING,
  STATE_STOPPED,
  STATE_WAITING,
  STRIDE,
} from './control.ts'

const EINTR = 4
const EAGAIN = 11

/** Why the loop ended. `stopped`: it was told to. */
export type VcpuEnd =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'shutdown' }
  /** A unikernel's own end. */
  | { readonly kind: 'halted'; readonly status: number }
  | { readonly kind: 'system-event'; readonly type: number }
  | { readonly kind: 'emulation-failure'; readonly suberror: number }
  | { readonly kind: 'entry-failure'; readonly reason: bigint }
  | { readonly kind: 'unexpected-exit'; readonly reason: number }
  | { readonly kind: 'run-error'; readonly errno: number }

export interface VcpuRunOptions {
  readonly cpu: number
  readonly fd: number
  readonly runAddress: number
  readonly runSize: number
  readonly control: SharedArrayBuffer
  readonly mailbox: MailboxClient
  readonly uart: Uart
  /** Of a Solo5 unikernel. */
  readonly hypercalls?: Hypercalls | undefined
  /** Just before the guest's first instruction on this vCPU can run. */
  readonly beforeFirstRun?: (() => void) | undefined
  /** What COMMAND_TIDY does. */
  tidy(): void
}

export function runVcpu(options: VcpuRunOptions): VcpuEnd {
  const { fd, mailbox, uart, hypercalls } = options
  const run = new DataView(viewOf(options.runAddress, options.runSize))
  const words = new Int32Array(options.control)
  const base = options.cpu * STRIDE
  const command = base + COMMAND

  const state = (value: number): void => {
    Atomics.store(words, base + STATE, value)
    Atomics.notify(words, base + STATE)
  }
  const end = (result: VcpuEnd): VcpuEnd => {
    state(STATE_STOPPED)
    return result
  }

  /** The last exit was answered in kvm_run and the kernel has not taken the answer yet. */
  let answered = false
  /** The last exit is a hypercall that still waits: it is made again instead of running on. */
  let unfinished = false
  let before = options.beforeFirstRun

  for (;;) {
    const wanted = Atomics.load(words, command)
    if (wanted !== COMMAND_RUN) {
      if (wanted === COMMAND_STOP) return end({ kind: 'stopped' })
      if (wanted === COMMAND_TIDY) {
        options.tidy()
        // Unless something else is wanted by now.
        Atomics.compareExchange(words, command, COMMAND_TIDY, COMMAND_RUN)
        continue
      }
      // The registers are whole only once the kernel has taken it in, without running the guest on (api.rst 4.94).
      if (answered) run.setUint8(RUN.immediateExit, 1)
      else {
        state(STATE_WAITING)
        Atomics.wait(words, command, COMMAND_WAIT)
        continue
      }
    } else if (words[base + STATE] !== STATE_RUNNING) {
      before?.()
      before = undefined
      state(STATE_RUNNING)
      // Whoever paused meanwhile saw a vCPU at rest: only a command read after the state was said may be followed.
      continue
    }
    if (!unfinished && ioctlInt(fd, KVM_RUN, 0) < 0) {
      const code = errno()
      if (code !== EINTR && code !== EAGAIN) return end({ kind: 'run-error', errno: code })
      answered = false
      // Cleared before the command is read: a kick that comes between them is seen by the next KVM_RUN.
      run.setUint8(RUN.immediateExit, 0)
      continue
    }
    const reason = run.getUint32(RUN.exitReason, true)
    answered = reason === KVM_EXIT.IO || reason === KVM_EXIT.MMIO
    switch (reason) {
      case KVM_EXIT.IO: {
        const outcome = hypercalls && hypercall(run, hypercalls)
        if (outcome === undefined) serveIo(run, mailbox, uart)
        else if (outcome === 'halted') return end({ kind: 'halted', status: hypercalls!.status })
        unfinished = outcome === 'interrupted'
        if (unfinished) {
          // The kick's, which found this thread outside of KVM_RUN. Nothing was answered either.
          run.setUint8(RUN.immediateExit, 0)
          answered = false
        }
        break
      }
      case KVM_EXIT.MMIO:
        serveMmio(run, mailbox)
        break
      case KVM_EXIT.INTR:
      case KVM_EXIT.IRQ_WINDOW_OPEN:
      case KVM_EXIT.HLT:
        break
      case KVM_EXIT.SHUTDOWN:
        return end({ kind: 'shutdown' })
      case KVM_EXIT.SYSTEM_EVENT:
        return end({ kind: 'system-event', type: run.getUint32(RUN.systemEvent.type, true) })
      case KVM_EXIT.INTERNAL_ERROR:
        return end({ kind: 'emulation-failure', suberror: run.getUint32(RUN.internal.suberror, true) })
      case KVM_EXIT.FAIL_ENTRY:
        return end({ kind: 'entry-failure', reason: run.getBigUint64(RUN.failEntry.reason, true) })
      default:
        return end({ kind: 'unexpected-exit', reason })
    }
  }
}

/** Undefined: this access is none. */
function hypercall(run: DataView, calls: Hypercalls): HypercallEnd | undefined {
  const number = run.getUint16(RUN.io.port, true) - HYPERCALL_PORT
  if (number < 0 || number >= HYPERCALL_PORTS) return undefined
  if (run.getUint8(RUN.io.direction) !== KVM_EXIT_IO_OUT || run.getUint8(RUN.io.size) !== 4) return undefined
  return calls.call(number, run.getUint32(run.getUint32(RUN.io.dataOffset, true), true))
}

/** One IN or OUT, or a piece of a REP INS/OUTS: `count` items of `size` bytes at data_offset. */
function serveIo(run: DataView, mailbox: MailboxClient, uart: Uart): void {
  const isWrite = run.getUint8(RUN.io.direction) === KVM_EXIT_IO_OUT
  const size = run.getUint8(RUN.io.size)
  const port = run.getUint16(RUN.io.port, true)
  const count = run.getUint32(RUN.io.count, true)
  let at = run.getUint32(RUN.io.dataOffset, true)
  for (let i = 0; i < count; i++, at += size) {
    if (isWrite) writePort(port, size, load(run, at, size), mailbox, uart)
    else store(run, at, size, readPort(port, size, mailbox, uart))
  }
}

function readPort(port: number, size: number, mailbox: MailboxClient, uart: Uart): number {
  if (port >= PORT.com1 && port < PORT.com1 + 8) {
    if (size === 1) return uart.readRegister(port - PORT.com1)
    // A wide access to an 8-bit device is cut into bytes by the bus.
    let value = 0
    for (let i = 0; i < size; i++) {
      const register = port - PORT.com1 + i
      value |= (register < 8 ? uart.readRegister(register) : 0xff) << (8 * i)
    }
    return value >>> 0
  }
  if (port === PORT.pmTimer && size === 4) return readPmTimer()
  return mailbox.access(false, false, port, 0, size, 0)
}

function writePort(port: number, size: number, value: number, mailbox: MailboxClient, uart: Uart): void {
  if (port >= PORT.com1 && port < PORT.com1 + 8) {
    for (let i = 0; i < size && port - PORT.com1 + i < 8; i++) {
      uart.writeRegister(port - PORT.com1 + i, (value >>> (8 * i)) & 0xff)
    }
    return
  }
  if (port === PORT.delay) return
  mailbox.access(false, true, port, 0, size, value)
}

/** An access of 1 to 8 bytes: naturally sized ones whole, 8 bytes low half first, odd ones byte by byte. */
function serveMmio(run: DataView, mailbox: MailboxClient): void {
  const low = run.getUint32(RUN.mmio.address, true)
  const high = run.getUint32(RUN.mmio.address + 4, true)
  const length = run.getUint32(RUN.mmio.length, true)
  const isWrite = run.getUint8(RUN.mmio.isWrite) !== 0
  const step = length === 8 || length === 4 ? 4 : length === 2 ? 2 : 1
  for (let done = 0; done < length; done += step) {
    const at = RUN.mmio.data + done
    const value = mailbox.access(
      true,
      isWrite,
      (low + done) | 0,
      high,
      step,
      isWrite ? load(run, at, step) : 0,
    )
    if (!isWrite) store(run, at, step, value)
  }
}

function load(view: DataView, at: number, size: number): number {
  if (size === 1) return view.getUint8(at)
  if (size === 2) return view.getUint16(at, true)
  return view.getUint32(at, true)
}

function store(view: DataView, at: number, size: number, value: number): void {
  if (size === 1) view.setUint8(at, value)
  else if (size === 2) view.setUint16(at, value, true)
  else view.setUint32(at, value, true)
}
