/** Images that a script uploads: announced and finished here, the bytes go to `/uploads/<id>` (http/uploads.ts). */
import { imageLimits } from '@hearth/shared/image'
import { z } from 'zod'
import { inProject, on } from '../auth/privilege.ts'
import { imageUploadInputSchema } from '../views/image.ts'
import { imageIds } from './actions.ts'
import { RestError } from './errors.ts'
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
      checksum: z.string().nullish().describe('SHA-256 or SHA-512, hexadecimal'),
      login_user: z
        .string()
        .nullish()
        .describe('The user cloud-init makes; none: the image has no cloud-init'),
      description: z.string().max(500).default(''),
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
      const { login_user: loginUser = null, file_name: fileName, ...facts } = body
      const input = imageUploadInputSchema.safeParse({
        ...{ ...facts, fileName, loginUser, cloudInit: loginUser !== null },
      })
      if (!input.success) {
        const [issue] = input.error.issues
        throw new RestError(422, 'invalid_input', `${String(issue?.path[0] ?? 'body')}: ${issue?.message}`)
      }
      const image = await rest.services.images.beginUpload(viewer, projectId, input.data)
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
