import { randomBytes } from 'node:crypto'
import { nameSchema } from '@hearth/shared/names'
import { bridgeNameSchema } from '@hearth/shared/network'
import { vmLimits } from '@hearth/shared/vm-spec'
import { volumeLimits } from '@hearth/shared/volume'
import { z } from 'zod'
import { generatePassword } from '../../src/lib/password.ts'
import { inProject, on } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import { labelsSchema } from '../views/label.ts'
import type { VmView } from '../views/vm.ts'
import { imageIds, toActions } from './actions.ts'
import { locationsOf } from './catalogue.ts'
import { RestError } from './errors.ts'
import { parseLabelSelector } from './labels.ts'
import { serverStatus, sizeOf, toAction, toServer } from './mappers.ts'
import { metaSchema, pageOf, pageQuerySchema, parseSort, sortBy } from './paging.ts'
import { type RestContext, route } from './route.ts'
import { actionSchema, idPathSchema, listOf, serverSchema, serverStatusSchema } from './schemas.ts'

const tag = 'Servers'
const idOrName = z.union([z.int().positive(), z.string().min(1).max(255)])

async function toServers(rest: RestContext, viewer: Viewer, vms: readonly VmView[]) {
  const [location] = await locationsOf(rest)
  const images = await rest.services.images.list(viewer)
  const labels = await rest.services.labels.of(
    'vm',
    vms.map(({ id }) => id),
  )
  const volumes = await rest.services.volumes.list(viewer)
  return vms.map((vm) =>
    toServer(vm, {
      location: location!,
      image: images.find(({ uid }) => uid === vm.image.uid),
      labels: labels.get(vm.id) ?? {},
      volumes: volumes.flatMap(({ id, vm: holder }) => (holder?.id === vm.id ? [id] : [])),
    }),
  )
}

async function answerServer(rest: RestContext, viewer: Viewer, vm: VmView) {
  const [server] = await toServers(rest, viewer, [vm])
  return server!
}

const list = route({
  method: 'GET',
  pattern: '/servers',
  summary: 'All servers',
  tag,
  privilege: inProject('viewer'),
  status: 200,
  query: pageQuerySchema.extend({
    name: z.string().optional(),
    status: listOf(serverStatusSchema),
    label_selector: z.string().optional(),
    sort: listOf(z.string()),
  }),
  response: z.object({ servers: z.array(serverSchema), meta: metaSchema }),
  async handle(rest, { query, viewer }) {
    const vms = await rest.services.vms.list(viewer)
    const labels = await rest.services.labels.of(
      'vm',
      vms.map(({ id }) => id),
    )
    const fits = query.label_selector ? parseLabelSelector(query.label_selector) : () => true
    const found = vms.filter(
      (vm) =>
        (query.name === undefined || vm.name === query.name) &&
        (query.status.length === 0 || query.status.includes(serverStatus(vm))) &&
        fits(labels.get(vm.id) ?? {}),
    )
    const orders = parseSort(query.sort, ['id', 'name', 'created'], [{ field: 'id', descending: false }])
    const sorted = sortBy(found, orders, (vm, field) => (field === 'created' ? vm.createdAt : vm[field]))
    const { items, meta } = pageOf(sorted, query)
    return { servers: await toServers(rest, viewer, items), meta }
  },
})

const get = route({
  method: 'GET',
  pattern: '/servers/{id}',
  summary: 'One server',
  tag,
  privilege: on('vm', 'viewer'),
  status: 200,
  path: idPathSchema,
  response: z.object({ server: serverSchema }),
  handle: async (rest, { path, viewer }) => ({
    server: await answerServer(rest, viewer, await rest.services.vms.get(viewer, path.id)),
  }),
})

/** What the model has and Hearth has not yet: accepted while empty, refused when something is asked for. */
const notYet = z.array(z.unknown()).max(0, 'Hearth does not have this yet; leave it empty.').nullish()

const create = route({
  method: 'POST',
  pattern: '/servers',
  summary: 'Create a server',
  tag,
  privilege: inProject('member'),
  status: 201,
  body: z.object({
    name: nameSchema,
    server_type: idOrName.describe('small, medium, large or custom-<cores>c-<MiB>m-<GiB>g'),
    image: idOrName.describe('Name or id of an image'),
    location: z.string().nullish(),
    ssh_keys: z.array(idOrName).max(64).default([]).describe('Names or ids of saved SSH keys'),
    user_data: z
      .string()
      .max(64 * 1024)
      .nullish()
      .describe('cloud-init user data'),
    labels: labelsSchema.default({}),
    start_after_create: z.boolean().default(true),
    bridge: bridgeNameSchema.nullish().describe('A bridge of the host that is open to servers'),
    networks: notYet,
    volumes: z
      .array(z.int().positive())
      .max(volumeLimits.perVm)
      .default([])
      .describe('Ids of volumes that no server has'),
    automount: z.literal(false).nullish().describe('The guest mounts them itself'),
    firewalls: notYet,
  }),
  response: z.object({
    server: serverSchema,
    action: actionSchema,
    next_actions: z.array(actionSchema),
    root_password: z.string().nullable().describe('Of the login user, when no SSH key was given'),
  }),
  async handle(rest, { body, viewer, projectId, idempotencyKey }) {
    const size = sizeOf(body.server_type)
    if (!size) throw invalidField('server_type', 'There is no such server type.')
    const locations = await locationsOf(rest)
    if (
      body.location &&
      !locations.some(({ id, name }) => name === body.location || String(id) === body.location)
    )
      throw invalidField('location', 'There is no such location.')
    const image = await imageNamed(rest, viewer, body.image)
    const keys = await keysOf(rest, viewer, body.ssh_keys)
    const volumes = body.volumes.length === 0 ? [] : await rest.services.volumes.list(viewer)
    const missing = body.volumes.find((wanted) => !volumes.some(({ id }) => id === wanted))
    if (missing !== undefined) throw invalidField('volumes', `There is no volume ${missing}.`)
    // An image without a disk gets an empty one only when the size was written out with one.
    const hasDisk = image.minDiskBytes > 0 || /^custom-/.test(String(body.server_type))
    const password = image.cloudInit && keys.length === 0 ? generatePassword(randomBytes) : null
    const { vm, action } = await rest.services.vms.create(viewer, projectId, {
      name: body.name,
      imageUid: image.uid,
      cpus: size.cpus,
      memoryBytes: size.memoryBytes,
      ...(hasDisk && size.diskBytes >= vmLimits.diskBytes.min ? { diskBytes: size.diskBytes } : {}),
      ...(password === null ? {} : { password }),
      ...(!body.user_data ? {} : { userData: body.user_data }),
      sshKeys: keys,
      startAtBoot: true,
      start: body.start_after_create,
      ...(body.bridge ? { bridge: body.bridge } : {}),
      idempotencyKey,
      labels: body.labels,
      volumes: body.volumes,
    })
    return {
      server: await answerServer(rest, viewer, vm),
      action: toAction(action, await imageIds(rest)),
      next_actions: [],
      root_password: password,
    }
  },
})

function invalidField(name: string, message: string): RestError {
  return new RestError(422, 'invalid_input', `${name}: ${message}`, [{ name, messages: [message] }])
}

async function imageNamed(rest: RestContext, viewer: Viewer, wanted: string | number) {
  const images = await rest.services.images.list(viewer)
  const image = images.find(({ id, uid }) => id === Number(wanted) || uid === wanted)
  if (!image) throw invalidField('image', 'There is no such image.')
  return image
}

async function keysOf(rest: RestContext, viewer: Viewer, wanted: readonly (string | number)[]) {
  const saved = wanted.length === 0 ? [] : await rest.services.sshKeys.list(viewer)
  return wanted.map((one) => {
    const key = saved.find(({ id, name }) => id === Number(one) || name === one)
    if (!key) throw invalidField('ssh_keys', `There is no SSH key ${one}.`)
    return key.publicKey
  })
}

const update = route({
  method: 'PUT',
  pattern: '/servers/{id}',
  summary: 'Rename a server or replace its labels',
  tag,
  privilege: on('vm', 'member'),
  status: 200,
  path: idPathSchema,
  body: z.object({ name: nameSchema.optional(), labels: labelsSchema.optional() }),
  response: z.object({ server: serverSchema }),
  async handle(rest, { path, body, viewer, idempotencyKey }) {
    const { vm } = await rest.services.vms.update(viewer, { id: path.id, ...body, idempotencyKey })
    return { server: await answerServer(rest, viewer, vm) }
  },
})

const remove = route({
  method: 'DELETE',
  pattern: '/servers/{id}',
  summary: 'Delete a server and its disk',
  tag,
  privilege: on('vm', 'member'),
  status: 200,
  path: idPathSchema,
  response: z.object({ action: actionSchema }),
  async handle(rest, { path, viewer, idempotencyKey }) {
    const { action } = await rest.services.vms.delete(viewer, { id: path.id, idempotencyKey })
    return { action: toAction(action, await imageIds(rest)) }
  },
})

const power = (
  [
    ['poweron', 'start', 'Switch a server on'],
    ['shutdown', 'shutdown', 'Ask the guest to shut down (ACPI)'],
    ['reboot', 'reboot', 'Ask the guest to shut down, and start it again'],
    ['poweroff', 'poweroff', 'Switch a server off, as pulling the plug'],
    ['reset', 'reset', 'Reset a server'],
  ] as const
).map(([name, op, summary]) =>
  route({
    method: 'POST',
    pattern: `/servers/{id}/actions/${name}`,
    summary,
    tag: 'Server Actions',
    privilege: on('vm', 'member'),
    status: 201,
    path: idPathSchema,
    response: z.object({ action: actionSchema }),
    async handle(rest, { path, viewer, idempotencyKey }) {
      const { action } = await rest.services.vms.power(viewer, { id: path.id, op, idempotencyKey })
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
)

const changeType = route({
  method: 'POST',
  pattern: '/servers/{id}/actions/change_type',
  summary: 'Resize a server that is off',
  tag: 'Server Actions',
  privilege: on('vm', 'member'),
  status: 201,
  path: idPathSchema,
  body: z.object({
    server_type: idOrName.describe('small, medium, large or custom-<cores>c-<MiB>m-<GiB>g'),
    upgrade_disk: z
      .boolean()
      .default(false)
      .describe('Also grow the disk to that of the type; it cannot shrink again'),
  }),
  response: z.object({ action: actionSchema }),
  async handle(rest, { path, body, viewer, idempotencyKey }) {
    const size = sizeOf(body.server_type)
    if (!size) throw invalidField('server_type', 'There is no such server type.')
    const vm = await rest.services.vms.get(viewer, path.id)
    const grows = body.upgrade_disk && vm.diskBytes !== null && size.diskBytes > vm.diskBytes
    const { action } = await rest.services.vms.update(viewer, {
      id: path.id,
      cpus: size.cpus,
      memoryBytes: size.memoryBytes,
      ...(grows ? { diskBytes: size.diskBytes } : {}),
      idempotencyKey,
    })
    if (!action) throw invalidField('server_type', 'The server has this size already.')
    return { action: toAction(action, await imageIds(rest)) }
  },
})

const rebuild = route({
  method: 'POST',
  pattern: '/servers/{id}/actions/rebuild',
  summary: 'Make the disk of a server an image again; what it holds is lost',
  tag: 'Server Actions',
  privilege: on('vm', 'member'),
  status: 201,
  path: idPathSchema,
  body: z.object({
    image: idOrName.describe('Name or id of an image'),
    user_data: z.null().optional().describe('It keeps what it was created with'),
  }),
  response: z.object({
    action: actionSchema,
    root_password: z.string().nullable().describe('Of the login user, when the server had no login before'),
  }),
  async handle(rest, { path, body, viewer, idempotencyKey }) {
    const image = await imageNamed(rest, viewer, body.image)
    const vm = await rest.services.vms.get(viewer, path.id)
    const password = image.cloudInit && vm.loginUser === null ? generatePassword(randomBytes) : null
    const { action } = await rest.services.vms.rebuild(viewer, {
      id: path.id,
      imageUid: image.uid,
      ...(password === null ? {} : { password }),
      idempotencyKey,
    })
    return { action: toAction(action, await imageIds(rest)), root_password: password }
  },
})

const changeProtection = route({
  method: 'POST',
  pattern: '/servers/{id}/actions/change_protection',
  summary: 'Protect a server from deletion, or no longer',
  tag: 'Server Actions',
  privilege: on('vm', 'member'),
  status: 201,
  path: idPathSchema,
  body: z.object({
    delete: z.boolean(),
    rebuild: z.boolean().optional().describe('The same as delete, if it is given'),
  }),
  response: z.object({ action: actionSchema }),
  async handle(rest, { path, body, viewer }) {
    if (body.rebuild !== undefined && body.rebuild !== body.delete)
      throw invalidField('rebuild', 'Deletion and rebuild are protected together: give both the same value.')
    const { action } = await rest.services.vms.protect(viewer, { id: path.id, deleteProtected: body.delete })
    return { action: toAction(action, await imageIds(rest)) }
  },
})

const actionQuery = pageQuerySchema.extend({
  status: listOf(actionSchema.shape.status),
  sort: listOf(z.string()),
})

const actions = route({
  method: 'GET',
  pattern: '/servers/{id}/actions',
  summary: 'All actions of a server',
  tag: 'Server Actions',
  privilege: on('vm', 'viewer'),
  status: 200,
  path: idPathSchema,
  query: actionQuery,
  response: z.object({ actions: z.array(actionSchema), meta: metaSchema }),
  async handle(rest, { path, query, viewer }) {
    return toActions(rest, viewer, query, { vmId: path.id })
  },
})

const action = route({
  method: 'GET',
  pattern: '/servers/{id}/actions/{action_id}',
  summary: 'One action of a server',
  tag: 'Server Actions',
  privilege: on('vm', 'viewer'),
  status: 200,
  path: idPathSchema.extend({ action_id: z.coerce.number().int().positive() }),
  response: z.object({ action: actionSchema }),
  async handle(rest, { path }) {
    const view = await rest.services.actions.get(path.action_id)
    if (view.vm?.id !== path.id) throw new RestError(404, 'not_found', 'There is no such action.')
    return { action: toAction(view, await imageIds(rest)) }
  },
})

export const serverRoutes = [
  list,
  get,
  create,
  update,
  remove,
  ...power,
  changeType,
  rebuild,
  changeProtection,
  actions,
  action,
]
