/** Images that a script uploads: announced and finished here, the bytes go to `/uploads/<id>` (http/uploads.ts). */
import { imageLimits } from '@hearth/shared/image'
import { z } from 'zod'
import { inProject, on } from '../auth/privilege.ts'
import { imageUploadInputSchema } from '../views/image.ts'
import { imageIds } from './actions.ts'
import { imageFacts, imageInput } from './image-input.ts'
import { toAction, toImage } from './mappers.ts'
import { route } from './route.ts'
import { actionSchema, idPathSchema, imageSchema } from './schemas.ts'

const tag = 'Images'

export const uploadRoutes = [
  route({
    method: 'POST',
    pattern: '/hearth/uploads',
    summary: 'Begin to upload an image (Hearth’s own)',
    tag,
    privilege: inProject('owner'),
    status: 201,
    body: z.object({
      name: imageUploadInputSchema.shape.name,
      file_name: imageUploadInputSchema.shape.fileName,
      bytes: imageUploadInputSchema.shape.bytes.describe('How long the whole file is'),
      ...imageFacts,
    }),
    response: z.object({
      image: imageSchema,
      upload: z.object({
        path: z
          .string()
          .describe('Where the bytes go, by tus 1.0.0: HEAD says how many are there, PATCH brings more'),
        part_bytes: z.int().describe('How many one PATCH may bring'),
      }),
    }),
    async handle(rest, { body, viewer, projectId }) {
      const { file_name: fileName, ...facts } = body
      const said = { ...facts, fileName }
      const input = imageInput(imageUploadInputSchema, said)
      const image = await rest.services.images.beginUpload(viewer, projectId, input)
      return {
        image: toImage(image),
        upload: { path: `/uploads/${image.id}`, part_bytes: imageLimits.uploadChunkBytes },
      }
    },
  }),
  route({
    method: 'POST',
    pattern: '/hearth/uploads/{id}/actions/finish',
    summary: 'All bytes are there: make an image of them (Hearth’s own)',
    tag,
    privilege: on('image', 'owner'),
    status: 201,
    path: idPathSchema,
    response: z.object({ action: actionSchema }),
    async handle(rest, { path, viewer }) {
      const action = await rest.services.images.finishUpload(viewer, path.id)
      return { action: toAction(action, await imageIds(rest)) }
    },
  }),
]
