import { powerOpSchema, vmStateSchema } from '@hearth/shared/agent-protocol'
import { rateLimitSchema } from '@hearth/shared/limits'
import { idSchema, imageUidSchema, macSchema, nameSchema, vmUidSchema } from '@hearth/shared/names'
import { bridgeNameSchema, firewallSchema, portForwardsSchema } from '@hearth/shared/network'
import { vmFoldersSchema } from '@hearth/shared/shared-folders'
import { MIB } from '@hearth/shared/units'
import { displaySchema, vmBoots, vmLimits } from '@hearth/shared/vm-spec'
import { volumeLimits } from '@hearth/shared/volume'
import { watchdogActions } from '@hearth/shared/watchdog'
import { z } from 'zod'
import { actionViewSchema } from './action.ts'
import {
  abilitySchema,
  idempotencyKeySchema,
  imageRefSchema,
  projectRefSchema,
  timeSchema,
} from './common.ts'
import { labelsSchema } from './label.ts'

/** What the portal knows of a VM's state; `unknown` while its host is away. */
export const vmViewStateSchema = z.enum([...vmStateSchema.options, 'unknown'])
export type VmViewState = z.infer<typeof vmViewStateSchema>

export const vmViewSchema = z.object({
  id: idSchema,
  vmUid: vmUidSchema,
  name: z.string(),
  project: projectRefSchema,
  image: imageRefSchema,
  cpus: z.int(),
  memoryBytes: z.int(),
  /** null: it has no disk of its own, it runs from memory. */
  diskBytes: z.int().nullable(),
  /** Bytes its disks take on the host, as last observed. */
  diskUsedBytes: z.int().nullable(),
  mac: macSchema,
  /** The user to log in as, when cloud-init made one. */
  loginUser: z.string().nullable(),
  startAtBoot: z.boolean(),
  deleteProtected: z.boolean(),
  labels: z.record(z.string(), z.string()),
  /** The screen it has from its next start on; null: none. */
  display: displaySchema.nullable(),
  /** How it starts from its next start on; null: as its image does. */
  boot: z.enum(vmBoots).nullable(),
  /** What follows when its guest hangs, from its next start on; null: it has no watchdog. */
  watchdog: z.enum(watchdogActions).nullable(),
  /** The bridge of its host that it is attached to; null: the host's own network for VMs. */
  bridge: z.string().nullable(),
  /** Ports of its host that lead to it. */
  forwards: portForwardsSchema,
  firewall: firewallSchema,
  /** Folders of its host that it has from its next start on. */
  folders: vmFoldersSchema,
  /** Of each of its disks, and of each direction of its network, from its next start on; null: none. */
  diskLimit: rateLimitSchema.nullable(),
  netLimit: rateLimitSchema.nullable(),
  /** Memory that its guest frees stays with it instead of going back to the host. */
  keepMemory: z.boolean(),
  /** This run has a screen. */
  hasScreen: z.boolean(),
  desiredState: z.enum(['running', 'stopped', 'deleted']),
  state: vmViewStateSchema,
  /** Why the state is unknown, or what differs from what should be, for people. */
  stateReason: z.string().nullable(),
  /** Last state its host reported, also while the host is away. */
  lastState: vmStateSchema.nullable(),
  since: timeSchema.nullable(),
  observedAt: timeSchema.nullable(),
  exitReason: z.string().nullable(),
  panicked: z.boolean(),
  addresses: z.array(z.string()),
  host: z.object({ id: idSchema, name: z.string(), online: z.boolean() }),
  /** The action that holds the VM now, or the last one when it failed; otherwise null. */
  action: actionViewSchema.nullable(),
  createdAt: timeSchema,
  can: z.object({
    start: abilitySchema,
    shutdown: abilitySchema,
    reboot: abilitySchema,
    poweroff: abilitySchema,
    reset: abilitySchema,
    suspend: abilitySchema,
    /** To end its creation, which then leaves nothing. */
    cancel: abilitySchema,
    update: abilitySchema,
    /** What the portal alone keeps, also while the host is away: labels and protection. */
    label: abilitySchema,
    /** Speed limits and what becomes of free memory: for owners. */
    limit: abilitySchema,
    /** vCPUs, memory and disk. */
    resize: abilitySchema,
    snapshot: abilitySchema,
    /** Going back to one of its snapshots. */
    restore: abilitySchema,
    /** Its disk is an image's again. */
    rebuild: abilitySchema,
    delete: abilitySchema,
    console: abilitySchema,
    /** To look at its screen; typing there takes what `console` takes. */
    screen: abilitySchema,
  }),
})
export type VmView = z.infer<typeof vmViewSchema>

export const vmRefInputSchema = z.object({ id: idSchema })

const userNameSchema = z
  .string()
  .min(1)
  .max(32)
  .regex(
    /^[a-z_][a-z0-9_-]*$/,
    'Use lower-case letters, digits, hyphens and underscores; begin with a letter.',
  )
  .refine((name) => name !== 'root', 'Root cannot be the login user; name a person, then use sudo.')

/** A line of text for a password: no control characters, since it travels by way of crypt(3) and cloud-init. */
const passwordSchema = z
  .string()
  .min(1, 'Give a password, or leave it out.')
  .max(256, 'A password has at most 256 characters.')
  .regex(/^\P{Cc}*$/u, 'A password cannot hold control characters.')

export const vmSizeSchema = z.object({
  cpus: z.int().min(vmLimits.cpus.min).max(vmLimits.cpus.max),
  memoryBytes: z
    .int()
    .min(vmLimits.memoryBytes.min)
    .max(vmLimits.memoryBytes.max)
    .multipleOf(MIB, 'Memory is a whole number of MiB.'),
  /** Absent: the smallest disk the image fits on; none at all for an image without one. */
  diskBytes: z
    .int()
    .min(vmLimits.diskBytes.min)
    .max(vmLimits.diskBytes.max)
    .multipleOf(MIB, 'A disk is a whole number of MiB.')
    .optional(),
})

export const vmCreateInputSchema = vmSizeSchema.extend({
  /** Absent: the person's own. */
  projectId: idSchema.optional(),
  name: nameSchema,
  imageUid: imageUidSchema,
  user: userNameSchema.optional(),
  password: passwordSchema.optional(),
  /** Public keys in OpenSSH form. */
  sshKeys: z.array(z.string().max(16 * 1024)).max(64),
  labels: labelsSchema.optional(),
  /** cloud-init user data, passed on as it is. */
  userData: z
    .string()
    .max(64 * 1024, 'User data has at most 64 KiB.')
    .optional(),
  startAtBoot: z.boolean(),
  start: z.boolean(),
  /** A bridge of the host that is open to VMs; absent: the host's own network for VMs. */
  bridge: bridgeNameSchema.optional(),
  /** A screen or none; absent: as the image is meant. */
  display: displaySchema.nullable().optional(),
  /** Volumes of its project that no VM has, by id: it has them from the start. */
  volumes: z.array(idSchema).max(volumeLimits.perVm).optional(),
  idempotencyKey: idempotencyKeySchema,
})
export type VmCreateInput = z.infer<typeof vmCreateInputSchema>

export const vmPowerInputSchema = z.object({
  id: idSchema,
  op: powerOpSchema,
  idempotencyKey: idempotencyKeySchema,
})
export const vmUpdateInputSchema = vmSizeSchema.partial().extend({
  id: idSchema,
  name: nameSchema.optional(),
  startAtBoot: z.boolean().optional(),
  /** null: as its image does. */
  boot: z.enum(vmBoots).nullable().optional(),
  /** null: none, from its next start on. */
  watchdog: z.enum(watchdogActions).nullable().optional(),
  /** A screen or none, from its next start on. */
  display: displaySchema.nullable().optional(),
  /** null: the host's own network for VMs; only while the VM is off. */
  bridge: bridgeNameSchema.nullable().optional(),
  /** All of them: what is not in the list is taken away. */
  forwards: portForwardsSchema.optional(),
  firewall: firewallSchema.optional(),
  labels: labelsSchema.optional(),
  idempotencyKey: idempotencyKeySchema.optional(),
})
export const vmLimitInputSchema = z.object({
  id: idSchema,
  diskLimit: rateLimitSchema.nullable().optional(),
  netLimit: rateLimitSchema.nullable().optional(),
  keepMemory: z.boolean().optional(),
  idempotencyKey: idempotencyKeySchema.optional(),
})
export const vmShareInputSchema = z.object({
  id: idSchema,
  /** All of them: what is not in the list is taken away. */
  folders: vmFoldersSchema,
  idempotencyKey: idempotencyKeySchema.optional(),
})
export const vmProtectInputSchema = z.object({ id: idSchema, deleteProtected: z.boolean() })
export const vmDeleteInputSchema = z.object({
  id: idSchema,
  /** The VM's name, typed by the person. */
  confirmName: z.string().max(63),
  idempotencyKey: idempotencyKeySchema,
})

export const vmRebuildInputSchema = z.object({
  id: idSchema,
  imageUid: imageUidSchema,
  /** The VM's name, typed by the person. */
  confirmName: z.string().max(63),
  /** Absent, with the keys: the login it has. */
  password: passwordSchema.optional(),
  sshKeys: z
    .array(z.string().max(16 * 1024))
    .max(64)
    .optional(),
  idempotencyKey: idempotencyKeySchema,
})
export type VmRebuildInput = z.infer<typeof vmRebuildInputSchema>

/** Every change answers with the action that carries it out and the VM as it is now. */
export const vmChangeSchema = z.object({ vm: vmViewSchema, action: actionViewSchema })
export type VmChange = z.infer<typeof vmChangeSchema>
