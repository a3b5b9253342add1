/** What `hearth-vmm run` is told, as a typed value. */
import type { LayoutName } from '@hearth/shared/keyboard-layouts'
import type { WatchdogAction } from '@hearth/shared/watchdog'
import type { BootChoice } from '../boot/choice.ts'
import type { BootDevice } from '../firmware/boot-order.ts'
import type { JailOption } from '../jail/option.ts'
import type { RateLimit } from '../rate/token-bucket.ts'
import type { ShareOption } from '../virtio/fs/thread.ts'

export type DiskFormat = 'raw' | 'qcow2'
/** `none` passes the host's page cache by (`O_DIRECT`); with `writethrough` a write is durable when it ends. */
export const diskCaches = ['writeback', 'none', 'writethrough'] as const
export type DiskCache = (typeof diskCaches)[number]

export interface DiskOption {
  readonly path: string
  readonly readOnly: boolean
  /**
   * Raw by default, and never found out by looking: a guest may write what it likes to the beginning of its raw disk,
   * and a qcow2 header there would name any file of the host as its base.
   */
  readonly format?: DiskFormat | undefined
  /** What the guest finds it by (VIRTIO 1.2, 5.2.6, GET_ID): at most 20 of a-z, 0-9 and hyphens; `disk<n>` when absent. */
  readonly serial?: string | undefined
  /** `writeback` when absent. */
  readonly cache?: DiskCache | undefined
}

export interface NetOption {
  readonly kind: 'tap' | 'passt'
  /** The TAP device's name, or the path of passt's socket. */
  readonly target: string
  /** `02:…` in lower case; derived from the target when absent. */
  readonly mac?: string | undefined
}

/** A screen, keyboard and pointer, seen over RFB on a unix socket. */
export interface DisplayOption {
  readonly path: string
  /** The guest's keyboard layout, for viewers that send characters instead of keys. */
  readonly layout: LayoutName
  /** Side by side; absent: one. */
  readonly screens?: number | undefined
}

/** A named channel: /dev/virtio-ports/<name> in the guest, a unix socket here. */
export interface PortOption {
  readonly name: string
  readonly path: string
}

/** Virtio devices over MMIO. */
export interface MmioOption {
  readonly announced: boolean
}

/** Sockets of the guest: its own number among them, and the unix socket here. */
export interface VsockOption {
  readonly cid: number
  readonly path: string
}

export type SerialOption =
  | { readonly kind: 'stdio' }
  /** `scrollbackLine`: each connection begins with a line that says how much scrollback follows. */
  | { readonly kind: 'unix'; readonly path: string; readonly scrollbackLine?: boolean }

/** One VM. Sizes are bytes, paths are the caller's own (relative ones to its working folder). */
export interface RunOptions {
  /** Absent: firmware starts what is on the disks; with `restore`, the VM ends when its guest resets. */
  readonly kernel?: string | undefined
  /** Absent: `auto`. */
  readonly boot?: BootChoice | undefined
  /** UEFI's variables; they are forgotten with the process when absent. */
  readonly uefiVariables?: string | undefined
  /** Where the firmware's own log goes. */
  readonly firmwareLog?: string | undefined
  /** A snapshot's folder: the VM goes on from there. */
  readonly restore?: string | undefined
  /** A folder for snapshots that name none; its files are opened at the start, so that a jailed process can write them. */
  readonly snapshotSlot?: string | undefined
  readonly initrd?: string | undefined
  readonly commandLine: string
  /** See RamOptions of memory/guest-ram.ts. */
  readonly hugePages?: boolean | undefined
  readonly prefault?: boolean | undefined
  /** What the guest frees stays its own instead of going back to the host. */
  readonly keepMemory?: boolean | undefined
  /** Virtio devices have the legacy interface, too. Absent: for Multiboot kernels. */
  readonly transitional?: boolean | undefined
  /** For Multiboot: `FILE TEXT`, given to the kernel whole. */
  readonly modules?: readonly string[] | undefined
  /** Absent only with `restore`: what the snapshot has. Given, it must be the same. */
  readonly memoryBytes?: number | undefined
  readonly cpus?: number | undefined
  readonly disks: readonly DiskOption[]
  /** ISO images in CD-ROM drives. */
  readonly cdroms?: readonly string[] | undefined
  /** What firmware tries, the first first; absent: the disks, then the discs. */
  readonly bootOrder?: readonly BootDevice[] | undefined
  readonly nets: readonly NetOption[]
  readonly serial: SerialOption
  readonly serialLog?: string | undefined
  /** Absent: the VM has no display at all. */
  readonly display?: DisplayOption | undefined
  /** Path of the control socket. */
  readonly control?: string | undefined
  /** End with exit code 10 when the guest resets, instead of starting it again. */
  readonly noReboot: boolean
  readonly name?: string | undefined
  /** The VM generation ID: a UUID in lower case, or a new one even when restored. Absent: the snapshot's, or a new one. */
  readonly generationId?: string | undefined
  /** Sockets between programs of the guest and of the host. */
  readonly vsock?: VsockOption | undefined
  /** Folders of the host for the guest. */
  readonly shares?: readonly ShareOption[] | undefined
  /** Virtio devices are over MMIO; `announced`: the kernel's command line says where, beside ACPI. Absent: over PCI. */
  readonly mmio?: MmioOption | undefined
  /** The guest has a watchdog, and this happens when it does not reload it any more. */
  readonly watchdog?: WatchdogAction | undefined
  /** Absent: what a process can do for itself. */
  readonly jail?: JailOption | undefined
  /** Channels to programs of the guest, by virtio-console. */
  readonly ports?: readonly PortOption[] | undefined
  /** Of each disk, and of each direction of each network. */
  readonly diskLimit?: RateLimit | undefined
  readonly netLimit?: RateLimit | undefined
}

export const DEFAULTS = { commandLine: 'console=ttyS0', memoryBytes: 512 * 2 ** 20, cpus: 1 } as const
export const MAX_CPUS = 32
