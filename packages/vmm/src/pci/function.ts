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
  /** The machine ends: releases everything taken from the platform. */
  close(): void
}
