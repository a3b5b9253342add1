/**
 * The watchdog timer of Intel's 6300ESB I/O controller hub (data sheet, "Watchdog Timer"; Linux drivers/watchdog/
 * i6300esb.c): a PCI function with a two-stage down-counter. A guest that does not reload it in time hangs; what follows
 * then is `bite`, which the machine's owner chose.
 */
import type { WatchdogState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { Registration } from '../io/event-loop.ts'
import { ConfigSpace } from '../pci/config-space.ts'
import type { PciFunction, PciSlot } from '../pci/function.ts'

/** In configuration space. */
const CONFIG = 0x60
const CONFIG_BITS = { INTERRUPT_TYPE: 3, PRESCALE_1MHZ: 1 << 2, REBOOT_DISABLED: 1 << 5 } as const
const INTERRUPT_BY_PIN = 0
const LOCK = 0x68
const LOCK_BITS = { LOCK: 1, ENABLE: 2, FREE_RUN: 4 } as const
/** Behind BAR 0. */
const REGISTERS = { TIMER1: 0x0, TIMER2: 0x4, INTERRUPT_STATUS: 0x8, RELOAD: 0xc } as const
const BAR_BYTES = 16
const RELOAD_BITS = { RELOAD: 1 << 8, TIMED_OUT: 1 << 9 } as const
/** Written to RELOAD one after the other, they let the next write to a register through. */
const UNLOCK = [0x80, 0x86] as const
const PRELOAD_MASK = 0xf_ffff
const PCI_KHZ = 33_000

export interface WatchdogOptions {
  /** Nobody reloaded the timer in time. Called on the I/O thread; not again before the guest reloads it. */
  readonly bite: () => void
  /** The machine was started anew because of its watchdog: the guest is told when it asks. */
  readonly timedOut?: boolean | undefined
}

export class I6300esb implements PciFunction, BusDevice {
  readonly name = 'i6300esb'
  readonly config = new ConfigSpace({
    vendor: 0x8086,
    device: 0x25ab,
    revision: 0,
    // System peripheral, other.
    classCode: 0x08_80_00,
    subsystemVendor: 0x1af4,
    subsystem: 0x1100,
    interruptPin: true,
  })
  private readonly bite: () => void
  private slot: PciSlot | undefined
  private readonly preload = [PRELOAD_MASK, PRELOAD_MASK]
  /** How many bytes of UNLOCK were written. */
  private unlocked = 0
  private lock = 0
  private interruptPending = false
  private timedOut: boolean
  private stage: 1 | 2 = 1
  /** What is left of the stage in ms while the clock stands still; undefined while nothing is counted. */
  private remaining: number | undefined
  private running: { readonly due: number; readonly timer: Registration } | undefined
  private clockRuns = true

  constructor({ bite, timedOut = false }: WatchdogOptions) {
    this.bite = bite
    this.timedOut = timedOut
    this.config.addRegister(CONFIG, [0, 0], [0x27, 0])
    this.config.addRegister(LOCK, [0], [LOCK_BITS.LOCK | LOCK_BITS.ENABLE | LOCK_BITS.FREE_RUN])
    this.config.hook({ start: LOCK, end: LOCK + 1, written: () => this.lockWritten() })
    this.config.addBar({ index: 0, kind: 'memory32', size: BAR_BYTES, device: this })
    this.config.commandChanged = () => this.slot?.intx.update()
  }

  attach(slot: PciSlot): void {
    this.slot = slot
  }

  /** The machine stands still or goes on: a paused guest cannot reload. */
  setClock(runs: boolean): void {
    if (runs === this.clockRuns) return
    this.clockRuns = runs
    if (runs) {
      if (this.remaining !== undefined) this.count(this.remaining)
    } else if (this.running) {
      this.remaining = Math.max(0, this.running.due - performance.now())
      this.stopTimer()
    }
  }

  reset(): void {
    this.disable()
    this.preload.fill(PRELOAD_MASK)
    this.unlocked = 0
    this.lock = 0
    this.timedOut = false
    this.setInterrupt(false)
  }

  close(): void {
    this.disable()
    this.slot = undefined
  }

  save(): { watchdog: WatchdogState } {
    const { unlocked, interruptPending, timedOut, stage, running } = this
    const left = running ? Math.max(0, running.due - performance.now()) : this.remaining
    const [timer1, timer2] = this.preload as [number, number]
    return {
      watchdog: {
        ...{ timer1, timer2, unlocked, interruptPending, timedOut, stage },
        ...(left === undefined ? {} : { remainingMs: left }),
      },
    }
  }

  /** After the configuration space, whose lock register started the timer anew already. */
  restore({ watchdog: state }: { watchdog?: WatchdogState | undefined }): void {
    if (state === undefined) throw new Error('the snapshot of the watchdog is incomplete')
    this.disable()
    this.preload[0] = state.timer1 & PRELOAD_MASK
    this.preload[1] = state.timer2 & PRELOAD_MASK
    this.unlocked = Math.min(state.unlocked, UNLOCK.length)
    this.timedOut = state.timedOut
    this.stage = state.stage
    this.setInterrupt(state.interruptPending)
    if (state.remainingMs !== undefined && this.enabled) this.count(state.remainingMs)
  }

  read(offset: number, size: number): number {
    const register = offset & ~3
    let value = 0
    if (register === REGISTERS.RELOAD) value = this.timedOut ? RELOAD_BITS.TIMED_OUT : 0
    else if (register === REGISTERS.INTERRUPT_STATUS) value = this.interruptPending ? 1 : 0
    const shifted = value >>> (8 * (offset & 3))
    return size === 4 ? shifted : shifted & (size === 2 ? 0xffff : 0xff)
  }

  write(offset: number, _size: number, value: number): void {
    if (offset === REGISTERS.RELOAD && this.unlocked < UNLOCK.length && value === UNLOCK[this.unlocked]) {
      this.unlocked++
      return
    }
    // Whatever comes after the two is the one write they were for; anything else breaks the sequence.
    const allowed = this.unlocked === UNLOCK.length
    this.unlocked = offset === REGISTERS.RELOAD && value === UNLOCK[0] ? 1 : 0
    if (offset === REGISTERS.INTERRUPT_STATUS) {
      if (value & 1) this.setInterrupt(false)
    } else if (!allowed) {
      return
    } else if (offset === REGISTERS.TIMER1) this.preload[0] = value & PRELOAD_MASK
    else if (offset === REGISTERS.TIMER2) this.preload[1] = value & PRELOAD_MASK
    else if (offset === REGISTERS.RELOAD) {
      if (value & RELOAD_BITS.TIMED_OUT) this.timedOut = false
      if (value & RELOAD_BITS.RELOAD && this.enabled) this.startStage(1)
    }
  }

  private get enabled(): boolean {
    return (this.lock & LOCK_BITS.ENABLE) !== 0
  }

  private lockWritten(): void {
    // Once locked it stays as it is until the machine is reset.
    if (this.lock & LOCK_BITS.LOCK) {
      this.config.preset(LOCK, 1, this.lock)
      return
    }
    const before = this.enabled
    this.lock = this.config.get(LOCK, 1)
    if (!this.enabled) this.disable()
    else if (!before) this.startStage(1)
  }

  private disable(): void {
    this.stopTimer()
    this.remaining = undefined
    this.stage = 1
  }

  private startStage(stage: 1 | 2): void {
    this.stage = stage
    // 33 MHz through a prescaler of 2^15 (about 1 kHz) or 2^5 (about 1 MHz).
    const bits = this.config.get(CONFIG, 2) & CONFIG_BITS.PRESCALE_1MHZ ? 5 : 15
    this.count((this.preload[stage - 1]! * 2 ** bits) / PCI_KHZ)
  }

  private count(ms: number): void {
    this.stopTimer()
    this.remaining = ms
    if (!this.clockRuns || this.slot === undefined) return
    const { loop } = this.slot.platform
    this.running = { due: performance.now() + ms, timer: loop.after(ms, () => this.expired()) }
  }

  private stopTimer(): void {
    this.running?.timer.remove()
    this.running = undefined
  }

  private expired(): void {
    this.running = undefined
    this.remaining = undefined
    const config = this.config.get(CONFIG, 2)
    if (this.lock & LOCK_BITS.FREE_RUN) {
      this.startStage(1)
      return
    }
    if (this.stage === 1) {
      if ((config & CONFIG_BITS.INTERRUPT_TYPE) === INTERRUPT_BY_PIN) this.setInterrupt(true)
      this.startStage(2)
      return
    }
    this.stage = 1
    this.timedOut = true
    // Without it the timer only tells; with it, it waits until the guest is back.
    if (config & CONFIG_BITS.REBOOT_DISABLED) this.startStage(1)
    else this.bite()
  }

  private setInterrupt(pending: boolean): void {
    this.interruptPending = pending
    this.slot?.intx.set(pending)
  }
}
