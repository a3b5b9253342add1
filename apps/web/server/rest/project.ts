/** What the API's model lacks: the token's project and what it may use. Under a prefix of its own. */
import { z } from 'zod'
import { inProject, projectRoleSchema } from '../auth/privilege.ts'
import { quotaKeySchema } from '../views/project.ts'
import { route } from './route.ts'

const tag = 'Projects'

const quotaSchema = z.object({
  key: quotaKeySchema,
  used: z.number().describe('A count, or bytes'),
  limit: z.number().nullable().describe('null: no limit'),
})

export const projectRoutes = [
  route({
    method: 'GET',
    pattern: '/hearth/project',
    summary: 'The project of the token, with its quota',
    tag,
    privilege: inProject('viewer'),
    status: 200,
    response: z.object({
      project: z.object({
        id: z.int(),
        name: z.string(),
        role: projectRoleSchema,
        members: z.int(),
        created: z.string(),
        quota: z.array(quotaSchema),
      }),
    }),
    async handle(rest, { viewer, projectId }) {
      const project = await rest.services.projects.get(viewer, projectId)
      const { id, name, role, members, createdAt } = project
      const quota = project.quota.map(({ key, used, limit }) => ({ key, used, limit }))
      return { project: { id, name, role, members, created: createdAt, quota } }
    },
  }),
  route({
    method: 'POST',
    pattern: '/hearth/project/quota_requests',
    summary: 'Ask for a higher limit',
    tag,
    privilege: inProject('member'),
    status: 201,
    body: z.object({
      key: quotaKeySchema,
      wanted: z.int().min(1).describe('The limit asked for, not what is added'),
      reason: z.string().max(500).default(''),
    }),
    response: z.object({ quota_request: z.object({ id: z.int(), key: quotaKeySchema, wanted: z.number() }) }),
    async handle(rest, { viewer, projectId, body }) {
      const { id, key, wanted } = await rest.services.quota.request(viewer, projectId, body)
      return { quota_request: { id, key, wanted } }
    },
  }),
]
