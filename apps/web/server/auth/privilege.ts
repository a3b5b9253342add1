/**
 * What a call needs of whoever makes it. Every tRPC procedure and every REST route declares one of these; the one
 * rule book that judges them is services/access.ts.
 */
import { z } from 'zod'

/** Roles in a project, each with everything of the one before it. */
const projectRoles = ['viewer', 'member', 'owner'] as const
export const projectRoleSchema = z.enum(projectRoles)
export type ProjectRole = z.infer<typeof projectRoleSchema>

/** What leads to a project. `project` is the project itself. */
const ownedTypes = [
  'project',
  'vm',
  'snapshot',
  'volume',
  'backup',
  'image',
  'ssh_key',
  'action',
  'quota_request',
] as const
export type OwnedType = (typeof ownedTypes)[number]

export type Privilege =
  /** Whoever reaches the portal. */
  | { readonly of: 'anyone' }
  /** Whoever is signed in: for what is one's own, and for lists, which show what one may see. */
  | { readonly of: 'person' }
  /** Administrators of the home. */
  | { readonly of: 'home' }
  /**
   * A role in the project of the thing whose id the input has under `key`. For `project` the key may be absent from
   * the input: then the viewer's first project in which the role is theirs, or the token's.
   */
  | { readonly of: OwnedType; readonly role: ProjectRole; readonly key: string }

export type ResourcePrivilege = Extract<Privilege, { role: ProjectRole }>

export const anyone: Privilege = { of: 'anyone' }
export const person: Privilege = { of: 'person' }
export const home: Privilege = { of: 'home' }

export function on(of: OwnedType, role: ProjectRole, key = 'id'): ResourcePrivilege {
  return { of, role, key }
}

/** In a project: the one named by `projectId`, else the viewer's (or the token's). */
export function inProject(role: ProjectRole): ResourcePrivilege {
  return { of: 'project', role, key: 'projectId' }
}

export function isResourcePrivilege(privilege: Privilege): privilege is ResourcePrivilege {
  return 'role' in privilege
}

/** Whether the role includes everything of `wanted`. */
export function includesRole(role: ProjectRole | null, wanted: ProjectRole): boolean {
  return role !== null && projectRoles.indexOf(role) >= projectRoles.indexOf(wanted)
}

/** Whether a call with this privilege changes something; a token that may only read is refused. */
export function changes(privilege: Privilege): boolean {
  return isResourcePrivilege(privilege) ? privilege.role !== 'viewer' : privilege.of === 'home'
}
