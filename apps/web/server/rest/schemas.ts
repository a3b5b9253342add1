/** The API's resources, in its own units: memory and disks in GB as powers of two, times as ISO 8601. */
import { z } from 'zod'

export const idPathSchema = z.object({ id: z.coerce.number().int().positive() })
/** `?id=1&id=2`: whatever may be given several times arrives as a list. */
export const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).default([])

export const actionSchema = z
  .object({
    id: z.int(),
    command: z.string(),
    status: z.enum(['running', 'success', 'error']),
    progress: z.int().min(0).max(100),
    started: z.string(),
    finished: z.string().nullable(),
    resources: z.array(z.object({ id: z.int(), type: z.string() })),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'Action' })

export const locationSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    description: z.string(),
    country: z.string(),
    city: z.string(),
    latitude: z.number(),
    longitude: z.number(),
    network_zone: z.string(),
  })
  .meta({ id: 'Location' })

/** A box of the home. */
export const datacenterSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    description: z.string(),
    location: locationSchema,
    server_types: z.object({
      supported: z.array(z.int()),
      available: z.array(z.int()),
      available_for_migration: z.array(z.int()),
    }),
  })
  .meta({ id: 'Datacenter' })

export const isoSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    description: z.string(),
    type: z.enum(['public', 'private']),
    architecture: z.string(),
    deprecated: z.null(),
    deprecation: z.null(),
  })
  .meta({ id: 'ISO' })

export const serverTypeSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    description: z.string(),
    category: z.string(),
    cores: z.int(),
    memory: z.number().describe('GB'),
    disk: z.int().describe('GB; 0 for a server without a disk'),
    deprecated: z.boolean(),
    deprecation: z.null(),
    prices: z.array(z.never()),
    storage_type: z.literal('local'),
    cpu_type: z.literal('shared'),
    architecture: z.literal('x86'),
    locations: z.array(z.object({ id: z.int(), name: z.string(), deprecation: z.null() })),
  })
  .meta({ id: 'ServerType' })

export const imageSchema = z
  .object({
    id: z.int(),
    type: z.enum(['system', 'snapshot']).describe('snapshot: of somebody’s own'),
    status: z.enum(['available', 'creating', 'unavailable']),
    name: z.string(),
    description: z.string(),
    image_size: z.number().nullable(),
    disk_size: z.number(),
    created: z.string(),
    created_from: z.null(),
    bound_to: z.null(),
    os_flavor: z.string(),
    os_version: z.string().nullable(),
    rapid_deploy: z.boolean(),
    protection: z.object({ delete: z.boolean() }),
    deprecated: z.null(),
    deleted: z.null(),
    labels: z.record(z.string(), z.string()),
    architecture: z.literal('x86'),
  })
  .meta({ id: 'Image' })

export const sshKeySchema = z
  .object({
    id: z.int(),
    name: z.string(),
    fingerprint: z.string().describe('MD5, in pairs of digits'),
    public_key: z.string(),
    labels: z.record(z.string(), z.string()),
    created: z.string(),
  })
  .meta({ id: 'SSHKey' })

export const serverStatusSchema = z.enum([
  'initializing',
  'starting',
  'running',
  'stopping',
  'off',
  'deleting',
  'unknown',
])

export const serverSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    status: serverStatusSchema,
    created: z.string(),
    public_net: z.object({
      ipv4: z.object({ id: z.int(), ip: z.string(), blocked: z.boolean(), dns_ptr: z.string() }).nullable(),
      ipv6: z.null(),
      floating_ips: z.array(z.int()),
      firewalls: z.array(z.never()),
    }),
    private_net: z.array(z.never()),
    server_type: serverTypeSchema,
    location: locationSchema,
    datacenter: datacenterSchema,
    image: imageSchema.nullable(),
    iso: z.null(),
    rescue_enabled: z.boolean(),
    locked: z.boolean(),
    backup_window: z.null(),
    outgoing_traffic: z.null(),
    ingoing_traffic: z.null(),
    included_traffic: z.int(),
    primary_disk_size: z.int(),
    protection: z.object({ delete: z.boolean(), rebuild: z.boolean() }),
    labels: z.record(z.string(), z.string()),
    volumes: z.array(z.int()),
    load_balancers: z.array(z.int()),
    placement_group: z.null(),
  })
  .meta({ id: 'Server' })
