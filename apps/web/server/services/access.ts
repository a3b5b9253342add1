/** Who may do what: the rules behind every declared privilege. Asked of the database each time, never remembered. */
import { HearthError } from '@hearth/shared/errors'
import { idSchema, imageUidSchema } from '@hearth/shared/names'
import {
  includesRole,
  isResourcePrivilege,
  type OwnedType,
  type Privilege,
  type ProjectRole,
  projectRoleSchema,
  type ResourcePrivilege,
} from '../auth/privilege.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import { type Ability, can, cannot } from '../views/common.ts'
import { notFound } from './errors.ts'

/** What somebody may do, as it is now. */
export interface Standing {
  readonly isAdmin: boolean
  /** Of one project; null: they may not even know of it. */
  roleIn(projectId: number): ProjectRole | null
  /** The `where` of rows they may see. */
  readonly visible: { projectId?: { in: number[] } }
}

/**
 * An administrator is an owner of every project. A token acts in its own project only, with at most the role of
 * whoever made it, and one that may only read is a viewer.
 */
export async function standingOf(queries: Queries, viewer: Viewer): Promise<Standing> {
  const user = await queries.user.findUnique({
    where: { id: viewer.userId },
    select: { role: true, memberships: { select: { projectId: true, role: true } } },
  })
  const isAdmin = user?.role === 'admin'
  const roles = new Map(
    user?.memberships.map(({ projectId, role }) => [projectId, projectRoleSchema.parse(role)]),
  )
  const { token } = viewer
  if (token) {
    const own = isAdmin ? 'owner' : (roles.get(token.projectId) ?? null)
    const role = own !== null && token.scope === 'read' ? 'viewer' : own
    return {
      isAdmin: isAdmin && token.scope === 'write',
      roleIn: (projectId) => (projectId === token.projectId ? role : null),
      visible: { projectId: { in: role === null ? [] : [token.projectId] } },
    }
  }
  return {
    isAdmin,
    roleIn: (projectId) => (isAdmin ? 'owner' : (roles.get(projectId) ?? null)),
    visible: isAdmin ? {} : { projectId: { in: [...roles.keys()] } },
  }
}

/** Whether a control that changes something in that project is offered, and why not. */
export function mayChange(standing: Standing, projectId: number): Ability {
  return includesRole(standing.roleIn(projectId), 'member')
    ? can
    : cannot('You may look at this project, but not change it. Ask one of its owners to make you a member.')
}

/** The same for what owners decide. */
export function mayOwn(standing: Standing, projectId: number): Ability {
  return includesRole(standing.roleIn(projectId), 'owner')
    ? can
    : cannot('Only an owner of the project can do that.')
}

const words: Record<OwnedType, string> = {
  project: 'project',
  vm: 'VM',
  snapshot: 'snapshot',
  volume: 'volume',
  backup: 'backup',
  image: 'image',
  ssh_key: 'SSH key',
  action: 'action',
  quota_request: 'request',
}

/** The project a thing belongs to; null: the whole home's. */
async function projectOf(queries: Queries, of: OwnedType, given: unknown): Promise<number | null> {
  const select = { projectId: true } as const
  // Images are also named by their slug, which is the same on every host.
  const uid = of === 'image' ? imageUidSchema.safeParse(given) : undefined
  if (uid?.success) {
    const image = await queries.image.findUnique({ where: { uid: uid.data }, select })
    if (!image) throw notFound(words[of])
    return image.projectId
  }
  const parsed = idSchema.safeParse(given)
  if (!parsed.success) throw new HearthError('invalid_input', `Say which ${words[of]}: its id is missing.`)
  const id = parsed.data
  const find = {
    project: async () => {
      const project = await queries.project.findFirst({
        where: { id, deletedAt: null },
        select: { id: true },
      })
      return project && { projectId: project.id }
    },
    volume: () => queries.volume.findUnique({ where: { id }, select }),
    backup: () => queries.backup.findUnique({ where: { id }, select }),
    snapshot: () => queries.snapshot.findUnique({ where: { id }, select }),
    vm: () => queries.vm.findUnique({ where: { id }, select }),
    image: () => queries.image.findUnique({ where: { id }, select }),
    ssh_key: () => queries.sshKey.findUnique({ where: { id }, select }),
    action: () => queries.action.findUnique({ where: { id }, select }),
    quota_request: () => queries.quotaRequest.findUnique({ where: { id }, select }),
  } as const satisfies Record<OwnedType, () => Promise<{ projectId: number | null } | null>>
  const found = await find[of]()
  if (!found) throw notFound(words[of])
  return found.projectId
}

/**
 * Refuses whoever has not the privilege. `input` is what the call came with. Returns the project it is about; null
 * when it is about none. What somebody may not see does not exist for them.
 */
export async function ensurePrivilege(
  queries: Queries,
  viewer: Viewer | null,
  privilege: Privilege,
  input: unknown,
): Promise<number | null> {
  if (privilege.of === 'anyone') return null
  if (!viewer) throw new HearthError('unauthorized', 'Sign in first.')
  if (privilege.of === 'person') return null
  const standing = await standingOf(queries, viewer)
  if (!isResourcePrivilege(privilege)) {
    if (!standing.isAdmin) throw new HearthError('forbidden', 'Only an administrator can do that.')
    return null
  }
  const given = (input as Record<string, unknown> | null | undefined)?.[privilege.key]
  if (privilege.of === 'project' && given === undefined)
    return ownProject(queries, viewer, standing, privilege.role)
  const projectId = await projectOf(queries, privilege.of, given)
  if (projectId === null) {
    // The home's own things are everybody's to use and the administrator's to change.
    if (privilege.role === 'viewer' || standing.isAdmin) return null
    throw new HearthError('forbidden', 'That belongs to the whole home: only an administrator can do that.')
  }
  await ensureRole(queries, standing, projectId, privilege)
  return projectId
}

async function ensureRole(
  queries: Queries,
  standing: Standing,
  projectId: number,
  { of, role: wanted }: ResourcePrivilege,
): Promise<void> {
  const role = standing.roleIn(projectId)
  if (role === null) throw notFound(words[of])
  if (includesRole(role, wanted)) return
  throw await roleMissing(queries, projectId, wanted)
}

async function roleMissing(queries: Queries, projectId: number, wanted: ProjectRole): Promise<HearthError> {
  const project = await queries.project.findUniqueOrThrow({
    where: { id: projectId },
    include: { members: { where: { role: 'owner' }, include: { user: { select: { name: true } } } } },
  })
  const owners = project.members.map(({ user }) => user.name)
  const whom = owners.length > 0 ? owners.join(' or ') : 'an administrator'
  const need = wanted === 'owner' ? 'Only an owner' : 'Only a member'
  return new HearthError('forbidden', `${need} of ${project.name} can do that. Ask ${whom}.`)
}

/** The project meant by whoever names none. */
async function ownProject(
  queries: Queries,
  viewer: Viewer,
  standing: Standing,
  wanted: ProjectRole,
): Promise<number> {
  if (viewer.token) {
    const { projectId } = viewer.token
    await ensureRole(queries, standing, projectId, { of: 'project', role: wanted, key: 'projectId' })
    return projectId
  }
  const own = await queries.membership.findMany({
    where: { userId: viewer.userId },
    orderBy: { projectId: 'asc' },
    select: { projectId: true },
  })
  const fitting = own.find(({ projectId }) => includesRole(standing.roleIn(projectId), wanted))
  if (fitting) return fitting.projectId
  if (own[0]) throw await roleMissing(queries, own[0].projectId, wanted)
  const first = standing.isAdmin
    ? await queries.project.findFirst({
        where: { deletedAt: null },
        orderBy: { id: 'asc' },
        select: { id: true },
      })
    : null
  if (first) return first.id
  throw new HearthError(
    'forbidden',
    'You are not a member of any project yet. Ask an administrator to invite you to one.',
  )
}
