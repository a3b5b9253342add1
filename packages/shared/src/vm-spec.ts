import { z } from 'zod'
import { HearthError } from './errors.ts'
import { layoutNames } from './keyboard-layouts.ts'
import { rateLimitSchema } from './limits.ts'
import { imageUidSchema, macSchema, nameSchema, vmUidSchema } from './names.ts'
import { bridgeNameSchema, firewallSchema, portForwardsSchema } from './network.ts'
import { maxScreens } from './screens.ts'
import { vmFoldersSchema } from './shared-folders.ts'
import { GIB, MIB } from './units.ts'
import { attachedVolumeSchema, volumeLimits } from './volume.ts'
import { watchdogActions } from './watchdog.ts'

/** `direct`: the kernel kept beside its disk. `bios`, `uefi`: firmware, which starts the disk's own boot loader. */
export const vmBoots = ['direct', 'bios', 'uefi'] as const
export type VmBoot = (typeof vmBoots)[number]

/** Limits of one VM that hold on every host; a host's own capacity is a second limit. */
export const vmLimits = {
  cpus: { min: 1, max: 32 },
  memoryBytes: { min: 64 * MIB, max: 1024 * GIB },
  diskBytes: { min: 1 * GIB, max: 16 * 1024 * GIB },
} as const

/** The keyboard a guest is set up for, for viewers that send characters instead of keys. */
export const keyboardLayoutSchema = z.enum(layoutNames)
export type KeyboardLayout = z.infer<typeof keyboardLayoutSchema>

/** A screen, keyboard and pointer. */
export const displaySchema = z.object({
  keyboard: keyboardLayoutSchema,
  /** Absent: one. */
  screens: z.int().min(1).max(maxScreens).optional(),
})

/** What cloud-init (NoCloud) is told on first boot. `passwordHash` is crypt(3) SHA-512, never clear text. */
export const cloudInitSchema = z.object({
  user: z
    .string()
    .max(32)
    .regex(/^[a-z_][a-z0-9_-]*$/, 'A user name has lower-case letters, digits, hyphens and underscores.'),
  passwordHash: z.string().startsWith('$6$').optional(),
  sshAuthorizedKeys: z.array(z.string().max(16 * 1024)).max(64),
  userData: z
    .string()
    .max(64 * 1024)
    .optional(),
})
export type CloudInit = z.infer<typeof cloudInitSchema>

/**
 * A VM as its owner wants it: the same document in the database, on the wire and in the agent's directory.
 * Sizes are bytes. `generation` grows with every change of desired state; an agent refuses an older one.
 */
export const vmSpecSchema = z.object({
  v: z.literal(1),
  vmUid: vmUidSchema,
  generation: z.int().nonnegative(),
  name: nameSchema,
  cpus: z.int().min(vmLimits.cpus.min).max(vmLimits.cpus.max),
  memoryBytes: z
    .int()
    .min(vmLimits.memoryBytes.min)
    .max(vmLimits.memoryBytes.max)
    .multipleOf(MIB, 'Memory is a whole number of MiB.'),
  image: imageUidSchema,
  /** Size of the system disk; absent when the image has none (it runs from its initrd). */
  diskBytes: z.int().min(vmLimits.diskBytes.min).max(vmLimits.diskBytes.max).multipleOf(MIB).optional(),
  /** Disks beside its own, in the order it sees them; attached and detached while it is off. */
  volumes: z.array(attachedVolumeSchema).max(volumeLimits.perVm).optional(),
  mac: macSchema,
  cloudInit: cloudInitSchema.optional(),
  startAtBoot: z.boolean(),
  /** From its next start on; absent: it has none, and pays nothing for one. */
  display: displaySchema.optional(),
  /** How it starts, from its next start on; absent: as its image does, and with firmware, with the one its disk is made for. */
  boot: z.enum(vmBoots).optional(),
  /** The bridge of its host that it is attached to; absent: the host's own network for VMs. */
  bridge: bridgeNameSchema.optional(),
  /** Ports of its host that lead to it; absent: none. */
  forwards: portForwardsSchema.optional(),
  /** Absent: `openFirewall`. */
  firewall: firewallSchema.optional(),
  /** From its next start on it has a watchdog timer, and this follows when its guest hangs; absent: it has none. */
  watchdog: z.enum(watchdogActions).optional(),
  /** Folders of its host, from its next start on; absent: none. */
  folders: vmFoldersSchema.optional(),
  /** Of each of its disks, and of each direction of its network, from its next start on; absent: none. */
  diskLimit: rateLimitSchema.optional(),
  netLimit: rateLimitSchema.optional(),
  /** Memory that its guest frees stays with it, from its next start on; absent: it goes back to the host. */
  keepMemory: z.boolean().optional(),
})
export type VmSpec = z.infer<typeof vmSpecSchema>

/** Parses a specification of any version this program reads; refuses newer ones by name. */
export function parseVmSpec(value: unknown): VmSpec {
  const version = z.object({ v: z.int() }).safeParse(value)
  if (version.success && version.data.v > 1) {
    throw new HearthError(
      'unsupported_version',
      `This VM was written by a newer Hearth (specification version ${version.data.v}, this one reads 1). Update Hearth on this host.`,
    )
  }
  const parsed = vmSpecSchema.safeParse(value)
  if (!parsed.success) {
    throw new HearthError(
      'invalid_input',
      `The VM specification is not valid: ${z.prettifyError(parsed.error)}`,
    )
  }
  return parsed.data
}
