/** The right to open a console: asked for with a session, used once by a WebSocket upgrade within seconds. */
import { HearthError } from '@hearth/shared/errors'
import { z } from 'zod'
import { includesRole, projectRoleSchema } from '../auth/privilege.ts'
import { hashToken, newToken } from '../auth/secrets.ts'
import type { Viewer } from '../auth/viewer.ts'
import { standingOf } from './access.ts'
import type { ServiceContext } from './context.ts'
import type { PortalServices } from './types.ts'
import { recordConsole } from './vm-change.ts'
import { ensureAble } from './vm-rules.ts'
import { conditionOf, findVm } from './vms.ts'

const lifetimeMs = 30_000

export const consoleKindSchema = z.enum(['serial', 'display'])
export type ConsoleKind = z.infer<typeof consoleKindSchema>

export interface ConsoleGrant {
  kind: ConsoleKind
  vmId: number
  vmUid: string
  hostId: number
  userId: string
  sessionId: string
  /** Who it is at the VM's screen. Nobody but this person's own pages has the id. */
  viewer: { id: string; name: string; input: boolean }
}

export function consolesService(context: ServiceContext): PortalServices['consoles'] {
  const { db } = context
  const open = async (viewer: Viewer, kind: ConsoleKind, vmId: number, right: string) => {
    const { sessionId } = viewer
    if (sessionId === null)
      throw new HearthError('forbidden', 'A console is opened in the portal, not with a token.')
    // What it is for is in the ticket, so that its hash covers that, too.
    const ticket = `${kind}.${right}.${newToken()}`
    await db.$transaction(async (tx) => {
      const vm = await findVm(tx, vmId)
      ensureAble(kind === 'serial' ? 'console' : 'screen', conditionOf(context, vm))
      const now = Date.now()
      // Old ones are of no use to anybody.
      await tx.consoleTicket.deleteMany({ where: { expiresAt: { lt: new Date(now - 3600_000) } } })
      await tx.consoleTicket.create({
        data: {
          ticketHash: hashToken(ticket),
          vmId,
          userId: viewer.userId,
          sessionId,
          expiresAt: new Date(now + lifetimeMs),
        },
      })
      await recordConsole(tx, viewer, vm, kind)
    })
    return { ticket, url: `/console/${vmId}/${kind}?ticket=${ticket}` }
  }
  return {
    open: (viewer, vmId) => open(viewer, 'serial', vmId, 'input'),
    async openDisplay(viewer, { vmId, tab }) {
      const { projectId } = await findVm(db, vmId)
      const role = (await standingOf(db, viewer)).roleIn(projectId)
      return open(viewer, 'display', vmId, `${includesRole(role, 'member') ? 'input' : 'view'}-${tab}`)
    },
  }
}

/** Consumes a ticket; null when it is unknown, used, too old, of another VM, or its session has ended. */
export async function consumeTicket(
  { db }: ServiceContext,
  { ticket, vmId, kind }: { ticket: string; vmId: number; kind: ConsoleKind },
): Promise<ConsoleGrant | null> {
  const [madeFor, right] = ticket.split('.')
  if (madeFor !== kind || right === undefined) return null
  const ticketHash = hashToken(ticket)
  const now = new Date()
  // One UPDATE decides: of two sockets with the same ticket the second changes nothing.
  const used = await db.consoleTicket.updateMany({
    where: { ticketHash, vmId, usedAt: null, expiresAt: { gt: now } },
    data: { usedAt: now },
  })
  if (used.count === 0) return null
  const row = await db.consoleTicket.findUniqueOrThrow({
    where: { ticketHash },
    include: { vm: true, user: { select: { name: true } } },
  })
  const [input, tab = ''] = right.split('-')
  const grant: ConsoleGrant = {
    kind,
    vmId,
    vmUid: row.vm.vmUid,
    hostId: row.vm.hostId,
    userId: row.userId,
    sessionId: row.sessionId,
    viewer: {
      // A page may take the place of its own old connection only.
      id: hashToken(`${row.userId} ${tab}`).slice(0, 32),
      name: row.user.name.slice(0, 80),
      input: input === 'input',
    },
  }
  return (await mayStay({ db }, grant)) ? grant : null
}

/** Whether a console that is open may stay open: its session lives, its VM is there and still theirs to use. */
export async function mayStay(
  { db }: Pick<ServiceContext, 'db'>,
  grant: Pick<ConsoleGrant, 'kind' | 'vmId' | 'userId' | 'sessionId' | 'viewer'>,
): Promise<boolean> {
  const [session, vm] = await Promise.all([
    db.session.findFirst({
      where: { id: grant.sessionId, userId: grant.userId, expiresAt: { gt: new Date() } },
      include: { user: { include: { memberships: true } } },
    }),
    db.vm.findFirst({ where: { id: grant.vmId, deletedAt: null } }),
  ])
  if (!session || !vm) return false
  const { role, memberships } = session.user
  if (role === 'admin') return true
  // Whoever may only look could type into a serial console: it takes a member, and so does a screen's keyboard.
  const wanted = grant.kind === 'display' && !grant.viewer.input ? 'viewer' : 'member'
  const membership = memberships.find(({ projectId }) => projectId === vm.projectId)
  return membership !== undefined && includesRole(projectRoleSchema.parse(membership.role), wanted)
}
