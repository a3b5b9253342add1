import type { LayoutName } from '@hearth/shared/keyboard-layouts'
import type { VmmViewer } from '@hearth/shared/vmm-control'
import type { ThreadJail } from '../jail/thread.ts'
import type { SurfaceMemory } from './surface.ts'

/** What the display thread and the device thread share. Plain data: it is handed to workers as it is. */
export interface DisplayHandle {
  readonly surface: SurfaceMemory
  /** The InputRing's memory. */
  readonly input: SharedArrayBuffer
  /** An AgentChannel's memory. */
  readonly agent: SharedArrayBuffer
  /** Address of EARLY_SCREEN.bytes of this process. */
  readonly frameBuffer: number
  /** eventfd the display thread writes after it put input into the ring, a wish into the surface, or bytes for the guest's agent. */
  readonly wakeFd: number
  /** How many the GPU has, side by side on the surface. */
  readonly screens: number
  /** For viewers that send characters instead of keys. */
  readonly layout: LayoutName
}

/** What the display thread is started with. */
export interface DisplayWorkerData {
  readonly handle: DisplayHandle
  /** Unix socket to listen on: RFB for whoever may open it. */
  readonly path: string
  /** The VM's name, shown by viewers. */
  readonly name: string
  readonly jail?: ThreadJail | undefined
}

/** What the main thread asks of the display thread; `id` comes back with the answer. */
export type DisplayRequest =
  | { readonly kind: 'viewers' }
  | { readonly kind: 'control'; readonly viewer: string; readonly take: boolean }
  | { readonly kind: 'close-viewer'; readonly viewer: string }
  | { readonly kind: 'screenshot'; readonly maxWidth: number }

export type DisplayCommand =
  | { readonly kind: 'close' }
  | { readonly kind: 'ask'; readonly id: number; readonly request: DisplayRequest }

export type DisplayWorkerMessage =
  | { readonly kind: 'listening' }
  /** The socket cannot be had; `exitCode` is the process's. */
  | { readonly kind: 'refused'; readonly exitCode: number; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  /** `clipboard`: the guest has an agent that shares it. */
  | { readonly kind: 'viewers'; readonly viewers: readonly VmmViewer[]; readonly clipboard: boolean }
  /** `error` is a sentence for whoever asked. */
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown; readonly error?: string }
  | { readonly kind: 'closed' }
