/** What the main thread and the I/O worker say to each other. */
import type { DevicesState } from '@hearth/shared/vm-snapshot'
import type { VmmCounters } from '@hearth/shared/vmm-control'
import type { UartHandle } from '../chipset/uart.ts'
import type { DiskThreadFile } from '../disk/thread-ring.ts'
import type { DisplayHandle } from '../display/handle.ts'
import type { FirmwareMachine } from '../firmware/plug.ts'
import type { GuestRegion } from '../memory/guest-memory.ts'
import type { RateLimit } from '../rate/token-bucket.ts'
import type { ShareHandle } from '../virtio/fs/thread.ts'
import type { VsockOptions } from '../virtio/vsock/vsock.ts'

export interface DiskHandle {
  readonly path: string
  readonly readOnly: boolean
  /** Opened and locked by the main thread; it stays open over a reset. */
  readonly fd: number
  /** Raw when absent. */
  readonly format?: 'raw' | 'qcow2' | undefined
  readonly serial?: string | undefined
  /** The same file opened with O_DIRECT, for a disk that passes the page cache by. */
  readonly directFd?: number | undefined
  /** A write is durable when it ends. */
  readonly writeThrough?: boolean | undefined
  /** What a qcow2 image is based on, opened for reading, its own base first. */
  readonly baseFds?: readonly number[] | undefined
  /** Of a disk that is written: see DiskChanges. */
  readonly changes?: SharedArrayBuffer | undefined
  readonly sizeBytes?: number | undefined
}

export interface NetHandle {
  readonly kind: 'tap' | 'passt'
  /** TAP name or socket path. */
  readonly target: string
  /** Six octets. */
  readonly mac: readonly number[]
  /** Of a TAP; only a unikernel is told. */
  readonly mtu?: number | undefined
  readonly fd: number
  /** Further queues of the same TAP. */
  readonly moreFds?: readonly number[] | undefined
}

/** A named channel of the guest's to a program of the host. */
export interface PortHandle {
  readonly name: string
  /** A listening unix socket, which stays the main thread's. */
  readonly listenFd: number
}

/** Sent to the thread for each machine. */
export interface IoWorkerData {
  readonly vmFd: number
  readonly cpus: number
  readonly regions: readonly GuestRegion[]
  readonly lowRam: number
  readonly highRam: number
  readonly control: SharedArrayBuffer
  /** What KVM counts of each vCPU; absent: it does not, or nobody asks. */
  readonly vcpuStatsFds?: readonly number[] | undefined
  /** eventfd a vCPU writes after it posted to its mailbox. */
  readonly busWakeFd: number
  /** A word of IO_COMMAND bits and those after it, and the eventfd that says it changed. */
  readonly commands: SharedArrayBuffer
  readonly commandFd: number
  readonly uart: UartHandle
  readonly disks: readonly DiskHandle[]
  /** Discs in CD-ROM drives. */
  readonly cdroms?: readonly DiskHandle[] | undefined
  /** Their files, where a thread does their work. */
  readonly diskThread?: readonly DiskThreadFile[] | undefined
  readonly nets: readonly NetHandle[]
  readonly ports: readonly PortHandle[]
  /** Of each disk, and of each direction of each network. */
  readonly diskLimit?: RateLimit | undefined
  readonly netLimit?: RateLimit | undefined
  /** Memory that the guest frees is not given back. */
  readonly keepMemory?: boolean | undefined
  readonly display?: DisplayHandle | undefined
  /** The devices take this on instead of starting cold. */
  readonly restore?: DevicesState | undefined
  /** Virtio devices have the legacy interface, and their interrupts reach the PICs. */
  readonly transitional?: boolean | undefined
  /** The guest is a Solo5 unikernel, whose vCPU serves it. */
  readonly hvt?: boolean | undefined
  /** Absent: the guest is entered directly. */
  readonly firmware?: FirmwareMachine | undefined
  /** The VM generation ID: a UUID in lower case. */
  readonly generationId: string
  readonly vsock?: VsockOptions | undefined
  /** Folders of the host. */
  readonly shares?: readonly ShareHandle[] | undefined
  /** Virtio devices are over MMIO instead of PCI, so many of them. */
  readonly mmioDevices?: number | undefined
  /** A watchdog is plugged in; `timedOut`: this machine is there because the one before was bitten. */
  readonly watchdog?: { readonly timedOut: boolean } | undefined
}

/**
 * `freeze`: the devices finish what is under way, tell their state and touch nothing until `thaw` or `stop`; only
 * with all vCPUs stopped. `track` with it: what they write from then on is noted. `clock`: PAUSED_WORD was written.
 */
export const IO_COMMAND = {
  stop: 1,
  powerButton: 2,
  freeze: 4,
  thaw: 8,
  count: 16,
  balloon: 32,
  track: 64,
  clock: 128,
  tidy: 256,
} as const
/** Beside the bits: how much memory the guest is asked for, in MiB. */
export const BALLOON_WORD = 1
/** 1 while the vCPUs are paused: what the guest has to do in time waits. */
export const PAUSED_WORD = 2
export const COMMAND_BYTES = 12

export type IoWorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'power-off' }
  | { readonly kind: 'reset'; readonly reason: string }
  | { readonly kind: 'panic' }
  /** The guest did not reload its watchdog. */
  | { readonly kind: 'watchdog' }
  /** UEFI's variables changed in memory, and wait to be made durable. */
  | { readonly kind: 'variables-written' }
  | { readonly kind: 'warning'; readonly text: string }
  /** Instead of `ready`: the state to restore does not fit. The thread waits for `stop`. */
  | { readonly kind: 'refused'; readonly text: string }
  /** The answer to `freeze`; frozen in either case. */
  | {
      readonly kind: 'frozen'
      readonly state: DevicesState
      /** Pages the devices wrote since they froze last with `track` (DirtyPages.bits). */
      readonly written: Uint8Array | undefined
    }
  | { readonly kind: 'not-saved'; readonly text: string }
  /** The answer to `count`. */
  | { readonly kind: 'counters'; readonly counters: VmmCounters }
  /** The last one of a machine: its devices are closed. */
  | { readonly kind: 'stopped' }
