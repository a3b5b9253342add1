/**
 * Settings of a server that the API's model lacks, each an address below it to read and to set: forwarded ports and
 * firewall, speed limits, watchdog, folders of its host.
 */
import { type RateLimit, rateLimitSchema } from '@hearth/shared/limits'
import { bridgeNameSchema, firewallSchema, portProtocols, portSchema } from '@hearth/shared/network'
import { folderNameSchema, maxFoldersPerVm } from '@hearth/shared/shared-folders'
import { watchdogActions } from '@hearth/shared/watchdog'
import { z } from 'zod'
import { home, on, type ProjectRole } from '../auth/privilege.ts'
import type { VmUpdateRequest } from '../services/types.ts'
import type { VmView } from '../views/vm.ts'
import { imageIds } from './actions.ts'
import { RestError } from './errors.ts'
import { toAction } from './mappers.ts'
import { type RestContext, type Route, route } from './route.ts'
import { actionSchema, idPathSchema } from './schemas.ts'

/** One setting: GET shows it to whoever may see the server, PUT sets it for those of `role`. */
function setting<Shown extends z.ZodType, Body extends z.ZodObject>(one: {
  name: string
  tag: string
  summary: { get: string; put: string }
  role: ProjectRole
  shown: Shown
  show: (rest: RestContext, vm: VmView) => z.input<Shown> | Promise<z.input<Shown>>
  body: Body
  wish: (body: z.output<Body>) => Omit<VmUpdateRequest, 'id' | 'idempotencyKey'>
  /** What belongs to the box is its administrators' to give. */
  ofTheHost?: boolean
}): Route[] {
  const { name, tag, summary, role, shown, show, body, wish, ofTheHost = false } = one
  const address = { pattern: `/servers/{id}/${name}`, tag, status: 200, path: idPathSchema } as const
  return [
    route({
      ...address,
      method: 'GET',
      summary: summary.get,
      privilege: on('vm', 'viewer'),
      response: z.object({ [name]: shown }),
      handle: async (rest, { path, viewer }) => ({
        [name]: await show(rest, await rest.services.vms.get(viewer, path.id)),
      }),
    }),
    route({
      ...address,
      method: 'PUT',
      summary: summary.put,
      privilege: on('vm', role),
      body: body as z.ZodObject,
      response: z.object({
        [name]: shown,
        action: actionSchema.nullable().describe('null: nothing had to change'),
      }),
      async handle(rest, { path, body: asked, viewer, idempotencyKey }) {
        if (ofTheHost) await rest.services.access.ensure(viewer, home, {})
        const { vm, action } = await rest.services.vms.update(viewer, {
          id: path.id,
          ...wish(asked as z.output<Body>),
          idempotencyKey,
        })
        return { [name]: await show(rest, vm), action: action && toAction(action, await imageIds(rest)) }
      },
    }),
  ]
}

const forwardSchema = z.object({
  protocol: z.enum(portProtocols),
  host_port: portSchema,
  guest_port: portSchema,
})
const networkSchema = z
  .object({
    bridge: z.string().nullable().describe('Of the host; null: its own network for VMs'),
    port_forwards: z.array(forwardSchema),
    firewall: firewallSchema.describe(
      'from: anywhere, home (private addresses) or nobody; ports: ranges of the guest let in beside forwarded ones, null for all',
    ),
    host_addresses: z.array(z.string()).describe('Where forwarded ports are reached'),
  })
  .meta({ id: 'ServerNetwork' })

async function toNetwork(rest: RestContext, vm: VmView): Promise<z.input<typeof networkSchema>> {
  const row = await rest.context.db.host.findUniqueOrThrow({ where: { id: vm.host.id } })
  const info = z.object({ addresses: z.array(z.string()).optional() }).parse(JSON.parse(row.info ?? '{}'))
  return {
    bridge: vm.bridge,
    port_forwards: vm.forwards.map(({ protocol, hostPort, guestPort }) => ({
      protocol,
      host_port: hostPort,
      guest_port: guestPort,
    })),
    firewall: vm.firewall,
    host_addresses: info.addresses ?? [],
  }
}

const limitSchema = z
  .object({
    bytes_per_second: rateLimitSchema.shape.bytesPerSecond.optional(),
    operations_per_second: rateLimitSchema.shape.operationsPerSecond
      .optional()
      .describe('Packets, for the network'),
    burst_seconds: rateLimitSchema.shape.burstSeconds
      .default(1)
      .describe('What was left unused in so many seconds may be used at once'),
  })
  .nullable()
  .describe('null: none')
const limitsSchema = z
  .object({
    disk: limitSchema.describe('Of each disk'),
    network: limitSchema.describe('Of each direction'),
    keep_memory: z.boolean().describe('What the guest frees stays with it'),
  })
  .meta({ id: 'ServerLimits' })

function toLimits({ diskLimit, netLimit, keepMemory }: VmView): z.input<typeof limitsSchema> {
  const limit = (one: RateLimit | null) =>
    one && {
      bytes_per_second: one.bytesPerSecond,
      operations_per_second: one.operationsPerSecond,
      burst_seconds: one.burstSeconds,
    }
  return { disk: limit(diskLimit), network: limit(netLimit), keep_memory: keepMemory }
}

function fromLimit(name: string, limit: z.output<typeof limitSchema> | undefined) {
  if (!limit) return limit
  const parsed = rateLimitSchema.safeParse({
    bytesPerSecond: limit.bytes_per_second ?? null,
    operationsPerSecond: limit.operations_per_second ?? null,
    burstSeconds: limit.burst_seconds,
  })
  if (parsed.success) return parsed.data
  const message = parsed.error.issues[0]?.message ?? 'This is no limit.'
  throw new RestError(422, 'invalid_input', `${name}: ${message}`, [{ name, messages: [message] }])
}

const watchdogSchema = z
  .enum(watchdogActions)
  .nullable()
  .describe('What follows when its guest hangs, from its next start on; null: it has no watchdog')

const foldersSchema = z
  .array(z.object({ name: folderNameSchema, writable: z.boolean() }))
  .max(maxFoldersPerVm)
  .describe('The guest mounts one by its name: mount -t virtiofs NAME /mnt')

export const serverSettingRoutes = [
  ...setting({
    name: 'limits',
    tag: 'Server Limits',
    summary: {
      get: 'Speed limits of a server, and whether it gives free memory back',
      put: 'Set speed limits of a server from its next start on; what is left out stays',
    },
    role: 'owner',
    shown: limitsSchema,
    show: (_, vm) => toLimits(vm),
    body: limitsSchema.partial(),
    wish: ({ disk, network, keep_memory }) => ({
      diskLimit: fromLimit('disk', disk),
      netLimit: fromLimit('network', network),
      keepMemory: keep_memory,
    }),
  }),
  ...setting({
    name: 'watchdog',
    tag: 'Server Watchdog',
    summary: {
      get: 'The watchdog of a server',
      put: 'Give a server a watchdog, or none, from its next start on',
    },
    role: 'member',
    shown: watchdogSchema,
    show: (_, { watchdog }) => watchdog,
    body: z.object({ watchdog: watchdogSchema }),
    wish: ({ watchdog }) => ({ watchdog }),
  }),
  ...setting({
    name: 'folders',
    tag: 'Server Folders',
    summary: {
      get: 'Folders of its host that a server has',
      put: 'Set the folders of its host that a server has from its next start on; with the token of an administrator',
    },
    role: 'owner',
    ofTheHost: true,
    shown: foldersSchema,
    show: (_, { folders }) => folders,
    body: z.object({ folders: foldersSchema.describe('All of them; others are taken away') }),
    wish: ({ folders }) => ({ folders }),
  }),
  ...setting({
    name: 'network',
    tag: 'Server Network',
    summary: {
      get: 'Forwarded ports and firewall of a server',
      put: 'Set forwarded ports and firewall of a server, also while it runs; what is left out stays',
    },
    role: 'member',
    shown: networkSchema,
    show: toNetwork,
    body: z.object({
      bridge: bridgeNameSchema.nullable().optional().describe('Only while the server is off'),
      port_forwards: z.array(forwardSchema).optional().describe('All of them; others are taken away'),
      firewall: firewallSchema.optional(),
    }),
    wish: ({ bridge, port_forwards, firewall }) => ({
      bridge,
      firewall,
      forwards: port_forwards?.map(({ protocol, host_port, guest_port }) => ({
        protocol,
        hostPort: host_port,
        guestPort: guest_port,
      })),
    }),
  }),
]
