import type { PciFunctionState } from '@hearth/shared/vm-snapshot'
import type { Platform } from '../io/platform.ts'
import type { ConfigSpace } from './config-space.ts'
import type { IntxPin } from './intx.ts'

/** What a function gets when it is plugged in. */
export interface PciSlot {
  readonly number: number
  readonly platform: Platform
  readonly intx: IntxPin
}

/** One PCI function: its configuration space, with the BARs and capabilities it has, and its life. */
export interface PciFunction {
  readonly name: string
  readonly config: ConfigSpace
  /** Called once, before the bus assigns addresses. */
  attach(slot: PciSlot): void
  /** The machine was reset: everything as after `attach`. The bus resets the configuration space afterwards. */
  reset(): void
  /**
   * For a snapshot: brings what is under way to an end and tells everything that its configuration space does not
   * hold. No vCPU runs and nothing is called until `resumed` or `close`. Throws with a line for people when the
   * function cannot be saved. Absent: there is nothing to tell.
   */
  save?(): Omit<PciFunctionState, 'slot' | 'function' | 'name' | 'config'>
  /**
   * Takes on what `save` told, on a new function whose configuration space is restored already. Throws with a
   * line for people when it does not fit; the machine is given up then.
   */
  restore?(state: PciFunctionState): void
  /** The machine goes on after `save`, or begins after `restore`: looks at everything that may have come meanwhile. */
  resumed?(): void
  /** The machine ends: releases everything taken from the platform. */
  close(): void
}
