/** Images as a script makes, names and deletes them. Reading them is in catalogue.ts. */
import { z } from 'zod'
import { inProject, on } from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import { imageImportInputSchema } from '../views/image.ts'
import { imageIds } from './actions.ts'
import { RestError } from './errors.ts'
import { imageFacts, imageInput } from './image-input.ts'
import { toAction, toImage } from './mappers.ts'
import { type RestContext, route } from './route.ts'
import { actionSchema, idPathSchema, imageSchema } from './schemas.ts'

const tag = 'Images'
const made = z.object({ image: imageSchema, action: actionSchema })

async function answer(rest: RestContext, viewer: Viewer, uid: string | undefined) {
  const image = (await rest.services.images.list(viewer)).find((one) => one.uid === uid)
  if (!image) throw new RestError(404, 'not_found', 'There is no such image.')
  return toImage(image)
}

export const imageRoutes = [
  route({
    method: 'POST',
    pattern: '/servers/{id}/actions/create_image',
    summary: 'Make an image of the disk of a server that is off',
    tag: 'Server Actions',
    privilege: on('vm', 'owner'),
    status: 201,
    path: idPathSchema,
    body: z.object({
      description: z.string().max(63).nullish().describe("The image's name; the server's if none is given"),
      type: z.enum(['snapshot', 'backup']).default('snapshot').describe('Both are the same here'),
    }),
    response: made,
    async handle(rest, { path, body, viewer }) {
      const { name: server } = await rest.services.vms.get(viewer, path.id)
      const name = body.description?.trim() || server
      const action = await rest.services.images.fromVm(viewer, {
        ...{ vmId: path.id, name, description: '', visibility: 'project' },
      })
      return {
        image: await answer(rest, viewer, action.image?.uid),
        action: toAction(action, await imageIds(rest)),
      }
    },
  }),
  route({
    method: 'POST',
    pattern: '/hearth/images',
    summary: 'Import an image from an address (Hearth’s own)',
    tag,
    privilege: inProject('owner'),
    status: 201,
    body: z.object({
      name: imageImportInputSchema.shape.name,
      url: imageImportInputSchema.shape.url.describe('Of a qcow2, raw or ISO file'),
      ...imageFacts,
    }),
    response: made,
    async handle(rest, { body, viewer, projectId }) {
      const input = imageInput(imageImportInputSchema, body)
      const action = await rest.services.images.import(viewer, projectId, input)
      return {
        image: await answer(rest, viewer, action.image?.uid),
        action: toAction(action, await imageIds(rest)),
      }
    },
  }),
  route({
    method: 'PUT',
    pattern: '/images/{id}',
    summary: 'Rename an image',
    tag,
    privilege: on('image', 'owner'),
    status: 200,
    path: idPathSchema,
    body: z.object({
      description: imageImportInputSchema.shape.name.describe("The image's name for people"),
    }),
    response: z.object({ image: imageSchema }),
    async handle(rest, { path, body, viewer, projectId }) {
      const view = await rest.services.images.update(viewer, projectId, {
        id: path.id,
        name: body.description,
      })
      return { image: toImage(view) }
    },
  }),
  route({
    method: 'POST',
    pattern: '/images/{id}/actions/change_protection',
    summary: 'Protect an image from deletion, or no longer',
    tag: 'Image Actions',
    privilege: on('image', 'owner'),
    status: 201,
    path: idPathSchema,
    body: z.object({ delete: z.boolean() }),
    response: z.object({ action: actionSchema }),
    async handle(rest, { path, body, viewer }) {
      const action = await rest.services.images.protect(viewer, path.id, body.delete)
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
  route({
    method: 'DELETE',
    pattern: '/images/{id}',
    summary: 'Delete an image; servers made from it keep their disks',
    tag,
    privilege: on('image', 'owner'),
    status: 204,
    path: idPathSchema,
    async handle(rest, { path, viewer }) {
      await rest.services.images.delete(viewer, path.id)
      return undefined
    },
  }),
]
