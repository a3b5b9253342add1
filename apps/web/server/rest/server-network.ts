/** Of a server: the ports of its host that lead to it, what its firewall lets in, and how fast it may be. */
import { type RateLimit, rateLimitSchema } from '@hearth/shared/limits'
import { bridgeNameSchema, firewallSchema, portProtocols, portSchema } from '@hearth/shared/network'
import { watchdogActions } from '@hearth/shared/watchdog'
import { z } from 'zod'
import { on } from '../auth/privilege.ts'
import type { VmView } from '../views/vm.ts'
import { imageIds } from './actions.ts'
import { RestError } from './errors.ts'
import { toAction } from './mappers.ts'
import { type RestContext, route } from './route.ts'
import { actionSchema, idPathSchema } from './schemas.ts'

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

const limitRoutes = [
  route({
    method: 'GET',
    pattern: '/servers/{id}/limits',
    summary: 'Speed limits of a server, and whether it gives free memory back',
    tag: 'Server Limits',
    privilege: on('vm', 'viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ limits: limitsSchema }),
    handle: async (rest, { path, viewer }) => ({
      limits: toLimits(await rest.services.vms.get(viewer, path.id)),
    }),
  }),
  route({
    method: 'PUT',
    pattern: '/servers/{id}/limits',
    summary: 'Set speed limits of a server from its next start on; what is left out stays',
    tag: 'Server Limits',
    privilege: on('vm', 'owner'),
    status: 200,
    path: idPathSchema,
    body: limitsSchema.partial(),
    response: z.object({
      limits: limitsSchema,
      action: actionSchema.nullable().describe('null: nothing had to change'),
    }),
    async handle(rest, { path, body, viewer, idempotencyKey }) {
      const { vm, action } = await rest.services.vms.update(viewer, {
        id: path.id,
        diskLimit: fromLimit('disk', body.disk),
        netLimit: fromLimit('network', body.network),
        keepMemory: body.keep_memory,
        idempotencyKey,
      })
      return { limits: toLimits(vm), action: action && toAction(action, await imageIds(rest)) }
    },
  }),
]

const watchdogSchema = z
  .enum(watchdogActions)
  .nullable()
  .describe('What follows when its guest hangs, from its next start on; null: it has no watchdog')

const watchdogRoutes = [
  route({
    method: 'GET',
    pattern: '/servers/{id}/watchdog',
    summary: 'The watchdog of a server',
    tag: 'Server Watchdog',
    privilege: on('vm', 'viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ watchdog: watchdogSchema }),
    handle: async (rest, { path, viewer }) => ({
      watchdog: (await rest.services.vms.get(viewer, path.id)).watchdog,
    }),
  }),
  route({
    method: 'PUT',
    pattern: '/servers/{id}/watchdog',
    summary: 'Give a server a watchdog, or none, from its next start on',
    tag: 'Server Watchdog',
    privilege: on('vm', 'member'),
    status: 200,
    path: idPathSchema,
    body: z.object({ watchdog: watchdogSchema }),
    response: z.object({
      watchdog: watchdogSchema,
      action: actionSchema.nullable().describe('null: nothing had to change'),
    }),
    async handle(rest, { path, body, viewer, idempotencyKey }) {
      const { vm, action } = await rest.services.vms.update(viewer, {
        id: path.id,
        watchdog: body.watchdog,
        idempotencyKey,
      })
      return { watchdog: vm.watchdog, action: action && toAction(action, await imageIds(rest)) }
    },
  }),
]

export const serverNetworkRoutes = [
  ...limitRoutes,
  ...watchdogRoutes,
  route({
    method: 'GET',
    pattern: '/servers/{id}/network',
    summary: 'Forwarded ports and firewall of a server',
    tag: 'Server Network',
    privilege: on('vm', 'viewer'),
    status: 200,
    path: idPathSchema,
    response: z.object({ network: networkSchema }),
    handle: async (rest, { path, viewer }) => ({
      network: await toNetwork(rest, await rest.services.vms.get(viewer, path.id)),
    }),
  }),
  route({
    method: 'PUT',
    pattern: '/servers/{id}/network',
    summary: 'Set forwarded ports and firewall of a server, also while it runs; what is left out stays',
    tag: 'Server Network',
    privilege: on('vm', 'member'),
    status: 200,
    path: idPathSchema,
    body: z.object({
      bridge: bridgeNameSchema.nullable().optional().describe('Only while the server is off'),
      port_forwards: z.array(forwardSchema).optional().describe('All of them; others are taken away'),
      firewall: firewallSchema.optional(),
    }),
    response: z.object({
      network: networkSchema,
      action: actionSchema.nullable().describe('null: nothing had to change'),
    }),
    async handle(rest, { path, body, viewer, idempotencyKey }) {
      const { vm, action } = await rest.services.vms.update(viewer, {
        id: path.id,
        forwards: body.port_forwards?.map(({ protocol, host_port, guest_port }) => ({
          protocol,
          hostPort: host_port,
          guestPort: guest_port,
        })),
        firewall: body.firewall,
        bridge: body.bridge,
        idempotencyKey,
      })
      return {
        network: await toNetwork(rest, vm),
        action: action && toAction(action, await imageIds(rest)),
      }
    },
  }),
]
